"""What stands before MLflow's server: who does not show the token is not let in."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
OPEN = "/health"
REFUSAL = b"Log in as any user, with the content of the service's token file as password."


class TokenGate:
    """An ASGI application that asks for a token: as a bearer's (MLFLOW_TRACKING_TOKEN), or as the password of any user,
    for which browsers ask. Only whether the server is up is told to everybody.

    Args:
        app: what is behind it.
        token: the file with the token, which is read each time, as it may change.
    """

    def __init__(self, app: App, token: Path) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] == "lifespan" or scope.get("path") == OPEN or self._knows(dict(scope.get("headers", []))):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"www-authenticate", b'Basic realm="qsynth"'), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": REFUSAL})
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        kind, _, shown = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"basic":
            try:
                shown = base64.b64decode(shown, validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif kind.lower() != b"bearer":
            return False
        token = self._token.read_bytes().strip()
        return bool(token) and hmac.compare_digest(shown.strip(), token)
