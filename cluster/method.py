"""A rival's results in a whole comparison."""

from dataclasses import dataclass

from cluster.record import Record


@dataclass(frozen=True)
class Method:
    """A rival's results on all studies.

    Attributes:
        details: study's name -> what it is there.
        preparations: study's name -> GAN iterations spent before it met the problems.
        shared: whether that was spent once for all studies.
    """

    name: str
    details: dict[str, str]
    preparations: dict[str, int]
    shared: bool
    records: tuple[Record, ...]

    @property
    def prepared(self) -> int:
        """GAN iterations spent before it met the problems, in all studies together."""
        spent = self.preparations.values()
        return max(spent) if self.shared else sum(spent)
