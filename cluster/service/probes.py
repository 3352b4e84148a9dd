"""Who is at a port or an address."""

import socket
from pathlib import Path

from qsynth.errors import QsynthError

LOOPBACK = "127.0.0.1"


def check_free(port: int) -> None:
    """Find out whether a port can be used.

    Raises:
        QsynthError: something uses it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise QsynthError(f"port {port} must be free; something else uses it. Choose another one") from None


def own_address(head: str) -> str:
    """This machine's address as the head at HOST:PORT sees it.

    Raises:
        QsynthError: nobody is there.
    """
    host, _, port = head.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            return str(connection.getsockname()[0])
    except (OSError, OverflowError, ValueError) as error:
        raise QsynthError(f"no Ray head answers at {head!r} ({error}); --join takes HOST:PORT") from None


def answers(url: str, token: Path | None = None) -> bool:
    """Whether a page answers a GET, which shows the token in a file if one is given."""
    import urllib.request

    request = urllib.request.Request(url)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token.read_text().strip()}")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
