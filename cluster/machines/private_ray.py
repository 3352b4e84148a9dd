"""A Ray of this process's own, which no other machine and no other user can reach."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster.system.environment import environment
from cluster.system.ray_folder import make_ray_folder

# Read by Ray's processes when they import it: with 0 they bind to loopback alone.
LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def write_token(path: Path) -> None:
    """Make a random token, in a new file for its owner alone.

    Raises:
        FileExistsError: there is a file already.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))


@contextmanager
def private_ray(**options: Any) -> Iterator[None]:
    """An embedded Ray for the time of a block: it listens on loopback alone, asks for a token of its own, and keeps its
    files where nobody else can read them.

    Ray decides both when it is imported, which a caller may have done long before; so what it has read is set anew for
    the time of the block. This is the one place that starts Ray inside a process.

    Args:
        options: of ``ray.init``.
    """
    import ray
    from ray._private import ray_constants

    with tempfile.TemporaryDirectory(prefix="qsynth-token-") as folder:
        token = Path(folder, "token")
        write_token(token)
        ours = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_AUTH_TOKEN": None}
        reaches_others = ray_constants.ENABLE_RAY_CLUSTER
        try:
            with environment(LOOPBACK_ONLY | ours):
                ray_constants.ENABLE_RAY_CLUSTER = False
                _read_authentication()
                # What is there already is the caller's, and stays.
                own = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
                ray.init("local", _temp_dir=str(make_ray_folder()), **own, **options)
                try:
                    yield
                finally:
                    ray.shutdown()
        finally:
            ray_constants.ENABLE_RAY_CLUSTER = reaches_others
            # While the token's file is still there: Ray's threads may be looking at it.
            _read_authentication()


def _read_authentication() -> None:
    """Have Ray forget the mode and the token that it read before."""
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
