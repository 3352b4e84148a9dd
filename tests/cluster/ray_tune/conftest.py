"""Trials of a tiny study, without Tune and with it."""

import gc
import warnings
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


@pytest.fixture
def ray_of_two(shared_ray: None) -> Iterator[None]:
    """A Ray with two CPUs. Tune leaves files open, which nobody is to be warned of later."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture(scope="module")
def shared_ray() -> Iterator[None]:
    """For all tests of a file that need one; those of other files may start their own."""
    with private_ray(num_cpus=2, object_store_memory=200_000_000, runtime_env={"env_vars": WORKER_ENVIRONMENT}):
        yield
