"""``qsynth check``: what a table is taken for, what would be done with each column, and what looks wrong."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cluster.cli.output import emit
from qsynth.tables.columns import Column, ConstantColumn, IdColumn
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows
from qsynth.tables.remark import Remark
from qsynth.tables.schema import UNLABELLED, Schema


def run_check(rows: str, target: str | None, *, as_json: bool) -> None:
    """Print the schema of a table and remarks.

    Raises:
        QsynthError: it can't be read or learned from.
    """
    read = read_rows(rows, target)
    schema, found = infer_schema(read.frame, target)
    remarks = (*read.remarks, *found)
    if as_json:
        emit(_as_dict(schema, remarks))
        return
    console = Console(highlight=False)
    console.print(f"{schema.n_rows:,} rows, {len(schema.columns)} columns", markup=False)
    console.print()
    console.print(_table(schema))
    if remarks:
        console.print()
    for remark in sorted(remarks, key=lambda remark: not remark.warning):
        where = "" if remark.column is None else f"column {remark.column!r} "
        console.print(f"{'warning' if remark.warning else 'note'}: {where}{remark.text}", markup=False, soft_wrap=True)


def _table(schema: Schema) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("column", "kind", "values", "what is done with it", "missing"):
        table.add_column(heading, justify="right" if heading == "missing" else "left")
    for column in schema.columns:
        missing = f"{column.missing:.1%}" if column.missing else ""
        cells = (_in_one_line(column.name), column.kind, column.shown, use(schema, column), missing)
        table.add_row(*(Text(_in_one_line(cell)) for cell in cells))
    return table


def _in_one_line(value: object) -> str:
    return " ".join(str(value).split())[:60]


def use(schema: Schema, column: Column) -> str:
    """What would be done with a column, in a few words."""
    if column.name == schema.target:
        return "target: a quantity" if schema.classes == UNLABELLED else f"target: {len(schema.classes)} classes"
    if isinstance(column, IdColumn):
        return "made anew, not learned"
    if isinstance(column, ConstantColumn):
        return "kept as it is"
    return "learned as codes" if column.nominal else "learned as numbers"


def _as_dict(schema: Schema, remarks: tuple[Remark, ...]) -> dict[str, Any]:
    columns = [{**column.model_dump(mode="json"), "use": use(schema, column)} for column in schema.columns]
    said = [{"text": each.text, "column": each.column, "warning": each.warning} for each in remarks]
    return {
        "rows": schema.n_rows,
        "target": schema.target,
        "classes": schema.classes,
        "columns": columns,
        "remarks": said,
    }
