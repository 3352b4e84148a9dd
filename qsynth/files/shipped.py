"""Files that ship with the packages and go by name: presets, curricula, trained agents."""

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from qsynth.errors import FileError, did_you_mean, shown


@dataclass(frozen=True)
class Shipped:
    """The files of one kind.

    Attributes:
        package, folder: where they lie.
        suffix: what their names end in, with the dot.
    """

    package: str
    folder: str
    suffix: str

    def files(self) -> dict[str, Path]:
        """Name -> file."""
        folder = Path(str(resources.files(self.package) / self.folder))
        return {path.stem: path for path in sorted(folder.glob(f"*{self.suffix}"))}

    def find(self, name_or_path: str | Path, demand: str) -> Path:
        """One of them by name, or any file by path.

        Args:
            demand: what it must be, for the message.

        Raises:
            QsynthError: neither.
        """
        known = self.files()
        path = known.get(str(name_or_path), Path(str(name_or_path)))
        if not os.path.isfile(path):  # False for a name that no file can have
            raise FileError(f"{demand}; got {shown(str(name_or_path))}.{did_you_mean(str(name_or_path), known)}")
        return path
