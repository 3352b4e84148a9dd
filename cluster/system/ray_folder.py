"""Where Ray keeps its sessions here: sockets, logs, and the address of the cluster that jobs are to join."""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from cluster.system.home import home
from qsynth.errors import QsynthError

LONGEST = 38  # letters of the folder: Ray's sockets are below it, whose paths have 107 at most
OTHERS = 0o077


def ray_folder() -> Path:
    """The place for this user alone, and for this :func:`cluster.system.home.home` alone; it may not be there.

    Ray's own default is the same for all on a machine and open to everybody. Whoever starts another Ray there is the
    one that jobs of all others join from then on. The folder is below ``$RAY_TMPDIR``, or where temporary files are if
    that is a short path.
    """
    name = f"qsynth-{os.getuid()}-{hashlib.sha256(str(home().absolute()).encode()).hexdigest()[:8]}"
    usual = tempfile.gettempdir()
    base = Path(os.environ.get("RAY_TMPDIR") or (usual if len(usual) + 1 + len(name) <= LONGEST else "/tmp"))
    return base / name / "ray"


def make_ray_folder() -> Path:
    """:func:`ray_folder`, in a folder that is there, and nobody else's.

    Raises:
        QsynthError: somebody else has made it, or it can't be made.
    """
    folder = ray_folder().parent
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise QsynthError(f"{folder} must be writable, or RAY_TMPDIR another folder; got {error.strerror}") from None
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & OTHERS:
        raise QsynthError(f"{folder} must be a folder of yours alone; remove it, or set RAY_TMPDIR")
    return ray_folder()
