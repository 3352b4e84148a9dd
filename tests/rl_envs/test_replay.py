"""Schedules: followed to the letter without an agent, and checked before they are."""

from pathlib import Path

import numpy as np
import pytest

from qsynth.errors import QsynthError
from rl_envs.agents import Schedule
from rl_envs.replay import Replay, ScheduleFile
from rl_envs.rollout import Assignment, play
from tests.rl_envs.tiny import N_DECISIONS, instances, tuner


def test_a_replay_is_the_trial_again_bit_for_bit(tmp_path: Path) -> None:
    made, [instance] = tuner(1), instances(1)
    agent = Schedule({"lr_generator": 0.05, "n_critic": 2, "batch_size": 6}, 0.1)
    [first] = play(made, lambda _: agent, [Assignment(instance, 5)], snapshots=True)
    assert len(set(first.schedule["lr_generator"])) == N_DECISIONS
    written = ScheduleFile(hyperparameters={name: tuple(value) for name, value in first.schedule.items()})
    written.write(tmp_path / "schedule.json")
    read = ScheduleFile.read(tmp_path / "schedule.json")
    assert read == written
    [second] = play(made, lambda _: Replay(read), [Assignment(instance, 5)], snapshots=True)
    np.testing.assert_array_equal(first.scores, second.scores)
    assert first.snapshot is not None
    assert second.snapshot is not None
    assert np.array_equal(first.snapshot.generator, second.snapshot.generator)


def test_runs_of_other_lengths_stretch_it() -> None:
    replay = Replay(ScheduleFile(hyperparameters={"beta1": (0.1, 0.2)}))
    seen = [replay.decide(np.zeros((2, 1)), {}, decision / 5)["beta1"].tolist() for decision in range(5)]
    assert seen == [[0.1, 0.1], [0.1, 0.1], [0.1, 0.1], [0.2, 0.2], [0.2, 0.2]]
    thirds = Replay(ScheduleFile(hyperparameters={"beta1": tuple(np.arange(30) / 100)}))
    each = [float(thirds.decide(np.zeros((1, 1)), {}, decision / 30)["beta1"][0]) for decision in range(30)]
    assert each == [decision / 100 for decision in range(30)]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "must be a schedule's JSON file"),
        ('{"hyperparameters": {}}', "hyperparameters"),
        ('{"hyperparameters": {"beta1": [0.1], "lr_critic": [0.1, 0.2]}}', "as many values each"),
        ('{"hyperparameters": {"beta1": []}}', "at least one"),
        ('{"hyperparameters": {"beta": [0.1]}}', "must be known; got beta"),
        ('{"format": "other", "hyperparameters": {"beta1": [0.1]}}', "format"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    path.write_text(text)
    with pytest.raises(QsynthError, match=match) as caught:
        ScheduleFile.read(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(QsynthError, match="must be a schedule's JSON file"):
        ScheduleFile.read(tmp_path / "missing.json")
    with pytest.raises(QsynthError, match="can't be written"):
        ScheduleFile(hyperparameters={"beta1": (0.1,)}).write(tmp_path / "no" / "such")
