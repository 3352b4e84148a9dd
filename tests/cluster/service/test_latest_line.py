"""What a study is doing is told by its own last line, not by what Ray's processes write between."""

import pytest

from cluster.service.jobs import latest_line

RAYS = (
    "[2026-11-29 12:38:34,381 E 10402 10402] core_worker.cc:2465: Actor with class name: 'PopulationRunner' and ID: "
    "'33615e0d1a938ea5df12085301000000' has constructor arguments in the object store and max_restarts > 0.\n"
)
OWN = "tiny: train agent: 12%, 5/40  iteration 3\n"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (OWN + RAYS, OWN.strip()),
        (RAYS + OWN + "  \n\n" + RAYS + RAYS, OWN.strip()),
        (RAYS, ""),
        ("", ""),
        (" \n\t\n", ""),
        (OWN + "[1, 2] are pairs: core_worker.cc:1: no", "[1, 2] are pairs: core_worker.cc:1: no"),
        (OWN + "qsynth: FAILED", "qsynth: FAILED"),
    ],
)
def test_rays_lines_are_passed_over(log: str, expected: str) -> None:
    assert latest_line(log) == expected
