"""Who may ask MLflow."""

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cluster.service.token_gate import TokenGate
from cluster.system.environment import environment
from cluster.system.home import HOME, log_in_to_tracking


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


def status(gate: TokenGate, path: str, authorization: str | None, kind: str = "http") -> Any:
    """What the gate answers."""
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    asyncio.run(gate({"type": kind, "path": path, "headers": headers}, None, send))  # type: ignore[arg-type]
    return said[0].get("status", said[0]["type"])


@pytest.fixture
def gate(tmp_path: Path) -> TokenGate:
    (tmp_path / "token").write_text("s3cret:with-colon\n")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    return TokenGate(app, tmp_path / "token")


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer another", 401),
        ("Bearer s3cret:with-colon", 200),
        ("bearer s3cret:with-colon", 200),
        (basic("s3cret:with-colon"), 200),
        (basic("another"), 401),
        (basic(""), 401),
        ("Basic not-base64!", 401),
        ("Digest s3cret:with-colon", 401),
    ],
)
def test_the_token_lets_in(gate: TokenGate, authorization: str | None, expected: int) -> None:
    assert status(gate, "/api/2.0/mlflow/runs/search", authorization) == expected
    assert status(gate, "/health", authorization) == 200
    assert status(gate, "/healthy", authorization) == expected
    opened = status(gate, "/ws", authorization, kind="websocket")
    assert opened == (200 if expected == 200 else "websocket.close")


def test_an_empty_token_lets_nobody_in(gate: TokenGate, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    assert status(gate, "/", "Bearer ") == 401
    assert status(gate, "/", basic("")) == 401


def test_the_token_is_shown_to_the_service_only(tmp_path: Path) -> None:
    mine, others = "http://127.0.0.1:5000", "http://127.0.0.1:5001"
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "service.json").write_text(json.dumps({"tracking_uri": mine}))
    nothing = {"MLFLOW_TRACKING_TOKEN": None, "MLFLOW_TRACKING_USERNAME": None}
    with environment({HOME: str(tmp_path), **nothing}):
        log_in_to_tracking(others)
        assert "MLFLOW_TRACKING_TOKEN" not in os.environ
        log_in_to_tracking(mine)
        assert os.environ["MLFLOW_TRACKING_TOKEN"] == "s3cret"
    with environment({HOME: str(tmp_path), **nothing, "MLFLOW_TRACKING_USERNAME": "me"}):
        log_in_to_tracking(mine)
        assert "MLFLOW_TRACKING_TOKEN" not in os.environ
