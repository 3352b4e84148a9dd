"""Populations that died again and again end their work in one line, however Ray tells of it."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, OutOfMemoryError

from cluster.machines import population_pool
from cluster.machines.population_pool import WorkerPool
from cluster.study.placement import Placement
from qsynth.errors import QsynthError

KIND = Placement(place="cpu", n_lanes=1, gpus=0.0, qpus=0, memory=1, most=1)
LOST = [OutOfMemoryError("Ray has killed it"), ActorDiedError()]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_they_do(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(_: object) -> None:
        raise error

    class Dead:
        play = SimpleNamespace(remote=lambda *_: object())

    made = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda *_: Dead()))
    monkeypatch.setattr(population_pool, "PopulationWorker", made)
    monkeypatch.setattr(population_pool, "ray", SimpleNamespace(wait=lambda each, **_: (each, []), get=get))
    anything: Any = SimpleNamespace(at=lambda _: None)
    share: Any = Counter({KIND: 1}).copy
    with pytest.raises(QsynthError, match="is memory short"):
        WorkerPool(anything, share, "pool").play(lambda _: anything, [anything])
