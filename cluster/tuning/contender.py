"""Who a study enters for the comparison with the rivals: the agent that it trained, or what it searched for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.comparison.compared_agent import ComparedAgent
from cluster.comparison.rivals.rival import Rival


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One of both, with what a study leaves behind of it.

    Attributes:
        name: in tables.
        agent: None after a search.
        searched: None after an agent's training.
        file: the agent's, or the schedule's.
        spent: what training or searching took, by what it is.
        draw: makes its picture in a file: how it learned, or what was tried.
        caption: of that picture.
    """

    name: str
    agent: ComparedAgent | None
    searched: Rival | None
    file: Path
    spent: dict[str, float]
    draw: Callable[[Path], None]
    caption: str

    @property
    def kind(self) -> str:
        """In a word."""
        return "agent" if self.searched is None else "search"
