"""Bad files of every kind that the product reads are refused in one line, or good enough; nothing else happens.

The whole, 10,000 of them: ``python -m tests.benchmarks.bad_files``.
"""

from pathlib import Path

import pytest

from tests.bad_files.kinds import KINDS, Kind
from tests.bad_files.trial import Watch, try_file

FILES = 8  # of each kind


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_bad_files_do_no_harm(kind: Kind, tmp_path: Path, watch: Watch) -> None:
    assert try_file(kind, None, tmp_path, watch).what == "read"
    outcomes = {seed: try_file(kind, seed, tmp_path, watch) for seed in range(FILES)}
    assert {seed: each for seed, each in outcomes.items() if not each.good} == {}
