"""What somebody should know about a table before work starts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One sentence.

    Attributes:
        text: the sentence; names of columns and values in it are the data's own.
        column: the column's name as text; None when it is about the whole table.
        warning: whether what comes of the table is likely to be wrong unless somebody acts.
    """

    text: str
    column: str | None = None
    warning: bool = False

    @property
    def line(self) -> str:
        """The sentence, with the column that it is about."""
        return self.text if self.column is None else f"{self.column!r}: {self.text}"
