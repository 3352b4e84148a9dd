"""``qsynth report``."""

from pathlib import Path

from cluster.cli.output import emit
from cluster.system.files import check_writable
from qsynth.quality.quality_report import assess
from qsynth.quality.samples import MAX_ROWS
from qsynth.synthesis.beside import yardstick_rows
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows


def run_report(
    real: str, synthetic: str, out: Path, target: str | None, held_out: str | None, seed: int, *, as_json: bool
) -> None:
    """Measure a file's rows against another's, yardsticks beside them, write the page, and say what matters most."""
    check_writable(out)
    rows = read_rows(real, target).frame
    schema, _ = infer_schema(rows, target)
    fresh = None if held_out is None else read_rows(held_out, target).frame
    made = read_rows(synthetic, target).frame
    beside = yardstick_rows(schema, rows, min(len(made), MAX_ROWS), seed)
    report = assess(rows, made, schema, fresh, seed, yardsticks=beside)
    report.to_html(out)
    if as_json:
        emit(report.to_dict() | {"path": str(out)})
    else:
        print(f"{report.summary}\n{out}")
