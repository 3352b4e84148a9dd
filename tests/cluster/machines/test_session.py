"""Ray as a study joins it."""

from typing import Any

import pytest

from cluster.machines import session
from cluster.machines.session import check_address, plan_compilation, ray_session
from cluster.study.study import Study
from qsynth.config import parse
from qsynth.errors import QsynthError


def test_standard_output_is_left_to_results(capfd: pytest.CaptureFixture[str]) -> None:
    with ray_session(None, "quiet"):
        print("(raylet) A worker died or was killed")
    found = capfd.readouterr()
    assert "worker died" not in found.out
    assert "worker died" in found.err


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "nosuch.invalid:6379", "127.0.0.1:99999"])
def test_nobody_waits_for_a_cluster_that_is_not_there(address: str) -> None:
    with pytest.raises(QsynthError, match="no Ray cluster answers at"):
        check_address(address)


@pytest.mark.parametrize("address", [None, "auto", "local"])
def test_what_only_ray_can_tell_is_left_to_it(address: str | None) -> None:
    check_address(address)


@pytest.mark.parametrize(
    ("asked", "failure", "expected"),
    [
        (True, None, (True, "compiled: the study asks for it")),
        (True, "torch can't", (False, "eager: compiling fails here")),
        (False, None, (False, "eager: the study asks for it")),
        (None, None, (False, "eager: 96 trial-iterations a worker would not pay for compiling")),
    ],
)
def test_populations_are_compiled_where_that_works(
    tiny: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    asked: bool | None,
    failure: str | None,
    expected: tuple[bool, str],
) -> None:
    monkeypatch.setattr(session, "compiler_failure", lambda: failure)
    assert plan_compilation(parse(Study, tiny | {"compiled": asked}, source="tiny"), 1) == expected
