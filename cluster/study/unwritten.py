"""What a study file leaves out of its trial: a circuit for the data, and what to tune."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from qsynth.config import Config, parse
from qsynth.data.sources import DataConfig
from qsynth.data.tabular import CsvData
from qsynth.errors import QsynthError
from qsynth.population.recommended import RECOMMENDED
from qsynth.population.trial import TrialConfig
from qsynth.population.usual_space import usual_space

LEAST_QUBITS = 2


class _Data(Config):
    data: DataConfig


def completed(values: Any, folder: Path | None = None) -> Any:
    """A study's settings with what its trial leaves out; as they are where other settings are wrong.

    - Without ``trial``, the recipe of :func:`qsynth.population.recommended.recommended_trial`.
    - Without ``trial.n_qubits``, one for each column of the data.
    - Without ``trial.search_space``, what the presets tune.

    Args:
        folder: where a table's path begins; None: at the working directory.
    """
    if not isinstance(values, Mapping) or "data" not in values:
        return values
    written = values.get("trial") or RECOMMENDED
    if isinstance(written, Mapping) and "n_qubits" not in written:
        written = {**written, "n_qubits": _width(values["data"], folder)}
    if isinstance(written, Mapping) and "search_space" not in written:
        with suppress(QsynthError):  # told when the study is parsed
            written = {**written, "search_space": usual_space(parse(TrialConfig, written, source="trial"))}
    if isinstance(written, TrialConfig) and "search_space" not in written.model_fields_set:
        written = written.replaced(search_space=usual_space(written))
    return {**values, "trial": written}


def _width(data: Any, folder: Path | None) -> int:
    """Columns of the data; the fewest qubits where these can't be told."""
    try:
        source = parse(_Data, {"data": data}, source="study").data
        if folder is not None and isinstance(source, CsvData):
            source = source.below(folder)
        return max(LEAST_QUBITS, source.width)
    except QsynthError:  # told when the study is parsed, or its data are checked
        return LEAST_QUBITS
