"""Open sets of components: a name, and what it stands for."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from qsynth.errors import QsynthError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """A named set of components of one kind; look-ups of unknown names say what was meant."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._members: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that enters a component under ``name``.

        Raises:
            QsynthError: the name is taken.
        """
        if name in self._members:
            raise QsynthError(f"{self.kind} {name!r} is registered already")

        def enter(member: T) -> T:
            self._members[name] = member
            return member

        return enter

    def __getitem__(self, name: str) -> T:
        if name not in self._members:
            raise QsynthError(f"{self.kind} must be a registered one; got {name!r}.{did_you_mean(name, self._members)}")
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._members))
