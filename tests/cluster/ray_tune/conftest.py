"""Trials of a tiny study, without Tune and with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.machines.private_ray import private_ray
from cluster.study.study import Study
from cluster.system.environment import WORKER_ENVIRONMENT
from qsynth.config import parse


@pytest.fixture
def study(tiny: dict[str, Any]) -> Study:
    return parse(Study, tiny, source="tiny")


@pytest.fixture(autouse=True)
def away_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Trainable outside Tune makes a folder, at home unless told otherwise."""
    monkeypatch.setattr("ray.tune.trainable.trainable.DEFAULT_STORAGE_PATH", str(tmp_path / "trainables"))


@pytest.fixture(scope="session")
def ray_of_two() -> Iterator[None]:
    """A Ray with two CPUs, for all tests that need one."""
    with private_ray(num_cpus=2, object_store_memory=200_000_000, runtime_env={"env_vars": WORKER_ENVIRONMENT}):
        yield
