"""The environment of a process."""

import os
import urllib.request

import pytest

from cluster.system.environment import pass_by_proxies

HERE = ["127.0.0.1", "localhost", "::1"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, HERE),
        ({"no_proxy": "a.example, 127.0.0.1"}, ["a.example", "127.0.0.1", "localhost", "::1"]),
        ({"NO_PROXY": ".example"}, [".example", *HERE]),
        ({"no_proxy": "lower", "NO_PROXY": "upper"}, ["lower", *HERE]),
        ({"no_proxy": "*"}, ["*"]),
    ],
)
def test_this_machine_is_reached_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, str], after: list[str]
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, before.get(name, ""))
    pass_by_proxies()
    pass_by_proxies()
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == ",".join(after)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert urllib.request.proxy_bypass("127.0.0.1")
    assert bool(urllib.request.proxy_bypass("elsewhere.example.org")) == (after == ["*"])
