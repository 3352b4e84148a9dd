"""A training whose populations die: it waits for them, and ends with a checkpoint when none comes back."""

import math
from pathlib import Path
from typing import Any

import pytest

from cluster.system.interrupt import Interrupted, InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.training import training_loop
from cluster.training.agent_trainer import AgentTrainer, Progress
from cluster.training.checkpoints import CheckpointStore
from cluster.training.training_loop import NoPopulationsError, TrainingLoop


class Algorithm:
    """Instead of RLlib's: its results, as they come out when all populations are killed before some of them."""

    def __init__(self, lost: set[int]) -> None:
        self._lost, self._iteration, self._steps = lost, 0, 0

    def train(self) -> dict[str, Any]:
        self._iteration += 1
        if self._iteration in self._lost:
            sampled: dict[str, Any] = {"num_env_steps_sampled_lifetime": math.nan, "num_episodes": math.nan}
            return {"env_runners": sampled, "timers": {}} if self._iteration % 2 else {}
        self._steps += 12
        return {"env_runners": {"num_env_steps_sampled_lifetime": self._steps, "num_episodes": 4, "final_score": 0.5}}


class Trainer(AgentTrainer):
    """One without Ray, whose populations come back when they have been asked for ``returns`` times."""

    def __init__(self, lost: set[int], returns: int) -> None:
        self._algorithm, self._returns, self.asked = Algorithm(lost), returns, 0
        self.iteration, self.sampled_steps, self.trials, self._empty, self._seed = 0, 0, 0, 0, 0
        self.restarted = 0

    @property
    def sizes(self) -> dict[Any, int]:
        return {}

    def restart_silent(self) -> None:
        self.restarted += 1

    def is_sampling(self) -> bool:
        self.asked += 1
        return self.asked % self._returns == 0

    def save(self, folder: Path) -> None:
        (folder / "weights").write_text("w")


class Loop:
    """A loop of such a trainer, and what it did."""

    def __init__(self, folder: Path, lost: set[int], returns: int = 3) -> None:
        self.trainer, self.guard, self.seen = Trainer(lost, returns), InterruptGuard(), list[Progress]()
        self.store = CheckpointStore(folder)
        progress = StudyProgress(enabled=False)
        self._loop = TrainingLoop(
            trainer=self.trainer,
            total=48,
            share=dict,  # type: ignore[arg-type]  # of no populations, as the trainer has
            store=self.store,
            checkpoint_seconds=1000.0,
            state=dict,
            stage=progress.stage("train", 48),
            progress=progress,
            guard=self.guard,
        )

    def run(self) -> None:
        self._loop.run(None, self.seen.append)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_loop, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(training_loop, "RETURN_SECONDS", 0.05)


@pytest.mark.parametrize("lost", [{2}, {2, 3}, {1, 2}, {2, 4}])
def test_it_waits_for_populations_that_died_and_goes_on(tmp_path: Path, lost: set[int]) -> None:
    loop = Loop(tmp_path, lost)
    loop.run()
    assert (loop.trainer.sampled_steps, loop.trainer.trials, len(loop.seen)) == (48, 16, 4 + len(lost))
    assert (loop.trainer.restarted, loop.trainer.asked) == (len(lost), 3 * len(lost))
    assert [each.iteration for each in loop.seen if each.empty] == sorted(lost)
    assert all(math.isfinite(value) for each in loop.seen for value in each.entry().values())
    latest = loop.store.latest()
    assert latest is not None
    assert latest.state["trials"] == 16


def test_it_ends_with_the_reason_and_a_checkpoint_when_none_comes_back(tmp_path: Path) -> None:
    loop = Loop(tmp_path, lost=set(range(3, 100)), returns=10**9)
    with pytest.raises(NoPopulationsError, match="3 iterations in a row brought nothing: all of them died"):
        loop.run()
    latest = loop.store.latest()
    assert latest is not None
    assert latest.state == {"iteration": 5, "sampled_steps": 24, "trials": 8}


def test_whoever_waits_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_loop, "RETURN_SECONDS", 60.0)
    loop = Loop(tmp_path, lost=set(range(3, 100)), returns=10**9)
    asked = loop.trainer.is_sampling

    def stopped() -> bool:
        loop.guard.requested = 15
        return asked()

    monkeypatch.setattr(loop.trainer, "is_sampling", stopped)
    with pytest.raises(Interrupted):
        loop.run()
    assert loop.store.latest() is not None
