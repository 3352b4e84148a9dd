"""Plugins: installed packages that register components of their own.

A package becomes one by an entry point of the group ``qsynth.plugins``. It names a module, which registers what it has
when it is imported, or a function that does so when it is called.
"""

import threading
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from qsynth.errors import PluginError, QsynthError

GROUP = "qsynth.plugins"


@dataclass(frozen=True)
class Plugin:
    """An installed plugin.

    Attributes:
        name: of its entry point.
        package: the distribution that brings it; empty where nobody knows.
        version: of the package.
        fault: why it can't be loaded; empty where it is.
    """

    name: str
    package: str
    version: str
    fault: str = ""


class PluginLoader:
    """Loads all plugins, once; what is wrong with one is remembered, so that it is not half loaded again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loading = False
        self._loaded: tuple[Plugin, ...] | None = None

    def load(self) -> tuple[Plugin, ...]:
        """All plugins, by name. While they are being loaded, a plugin that looks something up finds none."""
        with self._lock:
            if self._loading:
                return ()
            if self._loaded is None:
                self._loading = True
                try:
                    found = sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value))
                    self._loaded = tuple(_loaded(each) for each in found)
                finally:
                    self._loading = False
            return self._loaded


_loader = PluginLoader()


def installed_plugins() -> tuple[Plugin, ...]:
    """All plugins of this environment, by name, whether they can be loaded or not."""
    return _loader.load()


def load_plugins() -> None:
    """Load all plugins, unless that is done.

    Raises:
        PluginError: one can't be imported, or registers a name that is taken.
    """
    for plugin in installed_plugins():
        if plugin.fault:
            of = f" of {plugin.package} {plugin.version}" if plugin.package else ""
            remedy = f"pip uninstall {plugin.package}" if plugin.package else f"remove its entry point of {GROUP}"
            raise PluginError(f"plugin {plugin.name!r}{of} can't be loaded: {plugin.fault}. To get rid of it: {remedy}")


def _loaded(entry: EntryPoint) -> Plugin:
    package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
    try:
        member = entry.load()
        if callable(member) and not isinstance(member, type):
            member()
    except Exception as error:  # somebody else's code may raise anything
        reason = " ".join(str(error).split())
        fault = reason if isinstance(error, QsynthError) else f"{type(error).__name__}: {reason}"
        return Plugin(entry.name, package, version, fault)
    return Plugin(entry.name, package, version)
