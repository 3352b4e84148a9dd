"""Trials shown once more after a crash are the same records again, which MLflow stores once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.tracking.dataset_input import DatasetInput
from cluster.tracking.trials import TrialsLog
from rl_envs.rollout import Episode

EPISODE = Episode(
    instance="iris-0",
    seed=3,
    scores=np.array([0.1, 0.4, 0.6]),
    schedule={"lr_generator": np.array([0.01, 0.02])},
    raw={},
    utilities={},
    training={"loss_critic": np.array([1.0, 2.0])},
    ailments={},
    recoveries={},
    test_score=0.55,
    test_raw={},
    reason="budget",
    snapshot=None,
    began=1000.0,
    ended=1060.0,
)


class Told:
    """A tracker that writes nothing."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def __getattr__(self, kind: str) -> Any:
        return lambda *arguments, **named: self.records.append((kind, arguments, named))


def logged(folder: Path, *episodes: Episode) -> list[Any]:
    told = Told()
    log = TrialsLog(
        tracker=told,  # type: ignore[arg-type]
        iterations_per_decision=5,
        study_tags={"study": "tiny"},
        dataset=DatasetInput(
            name="iris", digest="0", source_type="code", source="{}", schema="{}", profile="{}", context="training"
        ),
        draw=lambda _, path: path.write_bytes(b""),
        folder=folder / "trials",
        times=folder / "shown.json",
    )
    log.log("agent", episodes)
    return told.records


def test_a_trial_that_is_shown_again_keeps_its_first_times(tmp_path: Path) -> None:
    later = replace(EPISODE, began=5000.0, ended=5100.0)
    first = logged(tmp_path, EPISODE, EPISODE)
    assert logged(tmp_path, later, later) == first
    (tmp_path / "shown.json").unlink()
    assert logged(tmp_path, later, later) != first


def test_another_trial_of_the_name_has_its_own_times(tmp_path: Path) -> None:
    logged(tmp_path, EPISODE)
    other = replace(EPISODE, test_score=0.7, began=5000.0, ended=5100.0)
    records = logged(tmp_path, other)
    assert records[0][2]["at"] == 5000.0
    assert records[-1][2]["at"] == 5100.0


@pytest.mark.parametrize(
    "nonsense", ["[]", '{"agent held-out 0": [0.55, 1e300, "now"]}', '{"agent held-out 0": 1}', "{"]
)
def test_a_damaged_file_of_times_is_none(tmp_path: Path, nonsense: str) -> None:
    (tmp_path / "shown.json").write_text(nonsense)
    assert logged(tmp_path, EPISODE)[0][2]["at"] == EPISODE.began
