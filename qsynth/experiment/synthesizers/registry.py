"""All ways to make rows for a QNN, by their names."""

from qsynth.experiment.synthesizers.augmentation import AUGMENTATIONS
from qsynth.experiment.synthesizers.gan_rows import GANS
from qsynth.experiment.synthesizers.row_synthesizer import RowSynthesizer
from qsynth.experiment.synthesizers.searched_rows import SearchedRows
from qsynth.experiment.synthesizers.table_rows import TableRows
from qsynth.experiment.synthesizers.yardstick_rows import YARDSTICK_ROWS
from qsynth.registry import Registry

ROW_SYNTHESIZERS: Registry[RowSynthesizer] = Registry("row synthesizer", own_name=lambda each: each.name)
_ALL: tuple[RowSynthesizer, ...] = (*AUGMENTATIONS, *YARDSTICK_ROWS, *GANS, SearchedRows(), TableRows())
for _each in _ALL:
    ROW_SYNTHESIZERS.register(_each.name)(_each)
