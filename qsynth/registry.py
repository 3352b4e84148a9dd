"""Open sets of components: a name, and what it stands for."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from qsynth.errors import StudyError, did_you_mean
from qsynth.plugins import load_plugins

T = TypeVar("T")


class Registry(Generic[T]):
    """A named set of components of one kind, in the order in which they were entered.

    Plugins (:mod:`qsynth.plugins`) extend it. They are loaded in whatever process first lists a registry, or looks up
    what is not in one; so nobody pays for them, or is harmed by them, who names only what qsynth brings.

    Args:
        kind: what a member is, in words.
        own_name: what a member says that it is called, if it does; it must be entered under that.
    """

    def __init__(self, kind: str, own_name: Callable[[T], str] | None = None) -> None:
        self.kind = kind
        self._own_name = own_name
        self._members: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that enters a component under ``name``.

        Raises:
            StudyError: the name is taken, or not the member's own.
        """
        if name in self._members:
            raise StudyError(f"{self.kind} {name!r} is registered already")

        def enter(member: T) -> T:
            if self._own_name is not None and (own := self._own_name(member)) != name:
                raise StudyError(f"{self.kind} {name!r} must be registered under its own name; got {own!r}")
            self._members[name] = member
            return member

        return enter

    def __getitem__(self, name: str) -> T:
        """The component of this name.

        Raises:
            StudyError: there is none; the message has what may have been meant.
            PluginError: there is none so far, and a plugin that might bring it can't be loaded.
        """
        if name not in self:
            raise StudyError(f"{self.kind} must be a registered one; got {name!r}.{did_you_mean(name, self._members)}")
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._members:
            load_plugins()
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(list(self._members))
