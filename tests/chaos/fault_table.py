"""The table of what was injected, and what became of it."""

from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault.

    Attributes:
        seconds: from the fault, or from the resume that it needs, until work went on; None: nothing was to go on.
        repeated: decisions sampled in all over those of the final agent's training; 1 where nothing was repeated.
        lost: values in the journal that MLflow does not have.
        duplicates: values that MLflow has twice.
        orphans: runs that MLflow takes for running though nobody works on them.
    """

    fault: str
    when: str
    expected: str
    observed: str
    seconds: float | None = None
    repeated: float | None = None
    lost: int | None = None
    duplicates: int | None = None
    orphans: int | None = None


class FaultTable:
    """Rows as they come."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Add a fault."""
        self.rows.append(row)

    def markdown(self) -> str:
        """All of it."""
        names = [field.name for field in fields(Row)]
        lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
        lines += [f"| {' | '.join(map(_shown, astuple(row)))} |" for row in self.rows]
        return "\n".join(lines) + "\n"


def _shown(value: str | float | None) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
