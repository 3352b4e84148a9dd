"""``qsynth sample``: rows from a model."""

import os
from dataclasses import dataclass
from pathlib import Path

from cluster.cli.output import emit
from cluster.system.files import check_writable
from qsynth.errors import QsynthError
from qsynth.synthesis.conditions import parsed
from qsynth.synthesis.instance_model import LABEL
from qsynth.synthesizer import QGANSynthesizer
from qsynth.tables.writing import check_ending, write_rows


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """What ``qsynth sample`` was asked for.

    Attributes:
        n: how many rows.
        out: the file to write; None: standard output.
        where: conditions, as texts.
        seed: of the noise; None: another each time.
        beside: a table of real rows, to write a training table; None: the rows alone.
    """

    n: int
    out: Path | None
    where: list[str]
    seed: int | None
    beside: str | None


def run_sample(model_file: Path, options: SampleOptions, as_json: bool) -> None:
    """Draw, and write or print.

    Raises:
        QsynthError: no model, conditions that can't be met, or a file that can't be written.
    """
    out = options.out
    if options.beside is not None and options.where:
        raise QsynthError("--where must be left out with --beside, which has as many rows of each class")
    if out is not None:
        if os.path.realpath(out) == os.path.realpath(model_file):
            raise QsynthError(f"--out must not be the model's own file, {model_file}")
        check_ending(out)
        check_writable(out)
    model = QGANSynthesizer.load(model_file)
    if options.beside is None:
        frame = model.sample(options.n, _conditions(model, options.where), options.seed)
    else:
        frame = model.training_table(options.beside, options.n, random_state=options.seed)
    if out is not None:
        write_rows(frame, out)
        if as_json:
            emit({"rows": len(frame), "columns": list(frame.columns), "path": str(out)})
        else:
            print(f"{len(frame)} rows: {out}")
    elif as_json:
        cells = frame.astype(object).where(frame.notna(), None).map(_plain)
        emit({"columns": list(frame.columns), "rows": cells.to_numpy(dtype=object).tolist()})
    else:
        write_rows(frame, "-")


def _conditions(model: QGANSynthesizer, texts: list[str]) -> dict[str | int, object] | None:
    if not texts:
        return None
    if model.schema is not None:
        return parsed(texts, model.schema)
    where: dict[str | int, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name != LABEL:
            raise QsynthError(f"--where must be {LABEL}=CLASS with a model of a source; got {text!r}")
        where[name] = value
    return where


def _plain(value: object) -> object:
    """What JSON can hold."""
    item = value.item() if hasattr(value, "item") else value
    return item if item is None or isinstance(item, bool | int | float | str) else str(item)
