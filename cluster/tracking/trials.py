"""Evaluated trials as child runs in MLflow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cluster.system.files import read_json_object
from cluster.tracking.dataset_input import DatasetInput
from cluster.tracking.tags import trial_tags
from cluster.tracking.tracker import Tracker
from qsynth.files.atomic import atomic_write_json
from rl_envs.rollout import Episode

PICTURE = "schedule.png"
LATEST = 2.0**40  # a time in seconds since 1970 that is none any more
PICTURED = 4  # trials of each rival, and the best on validation; a picture takes half a second


@dataclass(frozen=True, kw_only=True)
class TrialsLog:
    """Writes the trials of a study to MLflow, one child run a trial; the steps of its metrics are GAN iterations.

    At each decision: score, raw metrics, their utilities, and the hyperparameters in force from then on; at its end
    the losses and other training statistics, means over its iterations. Of the end, the test rows' score and raw
    metrics, and the iteration by which each ailment (:mod:`qsynth.population.health`) was first seen. A hyperparameter
    that never changes is a single value, as MLflow draws a line that stays where it is at 0.

    Attributes:
        study_tags: of the parent run.
        dataset: what the study learns from.
        draw: makes a picture of a trial's schedule in a file.
        folder: for the pictures, in the run directory.
        times: a file of when trials ran. Where they are shown once more after a crash they keep their first times, as
            MLflow stores a value twice that comes with another time.
    """

    tracker: Tracker
    iterations_per_decision: int
    study_tags: Mapping[str, str]
    dataset: DatasetInput
    draw: Callable[[Episode, Path], None]
    folder: Path
    times: Path

    def log(self, rival: str, episodes: Sequence[Episode]) -> None:
        """A rival's trials on the held-out instances 0, 1, ..."""
        episodes = self._at_first_times(rival, episodes)
        best = max(range(len(episodes)), key=lambda number: float(episodes[number].scores[1:].max()))
        for number, episode in enumerate(episodes):
            self._log(rival, number, episode, pictured=number < PICTURED or number == best)

    def _at_first_times(self, rival: str, episodes: Sequence[Episode]) -> list[Episode]:
        known, found = read_json_object(self.times), []
        for number, episode in enumerate(episodes):
            key = trial_key(rival, number)
            began, ended = _kept_times(known.get(key), episode) or (episode.began, episode.ended)
            known[key] = [episode.test_score, began, ended]
            found.append(replace(episode, began=began, ended=ended))
        atomic_write_json(self.times, known)
        return found

    def _log(self, rival: str, number: int, episode: Episode, *, pictured: bool) -> None:
        tracker, key, n_decisions = self.tracker, trial_key(rival, number), len(episode.scores) - 1
        iterations = n_decisions * self.iterations_per_decision
        tags = trial_tags(self.study_tags, rival, episode)
        tracker.start_trial(key, {"seed": str(episode.seed), **_settings(episode)}, tags, at=episode.began)
        tracker.log_dataset(self.dataset, trial=key)
        # First, as MLflow lists metrics in the order in which they came.
        final = {} if episode.test_score is None else {"test/score": episode.test_score}
        final |= {f"test/{name}": value for name, value in episode.test_raw.items()}
        final |= {f"ailment/{name}": float(at * self.iterations_per_decision) for name, at in episode.ailments.items()}
        told = "" if episode.test_score is None else f"test score **{episode.test_score:.3f}**, "
        tracker.log(final, step=iterations, trial=key, at=episode.ended)
        for decision in range(n_decisions + 1):
            at = episode.began + (episode.ended - episode.began) * decision / max(1, n_decisions)
            tracker.log(_at(episode, decision), decision * self.iterations_per_decision, trial=key, at=at)
        note = (
            f"**{rival}** on `{episode.instance}`: {told}validation {episode.scores[0]:.3f} -> "
            f"{episode.scores[-1]:.3f} in {iterations:,} GAN iterations ({episode.reason or 'ended'})."
        )
        if pictured:
            picture = self.folder / key.replace(" ", "-") / PICTURE
            picture.parent.mkdir(parents=True, exist_ok=True)
            self.draw(episode, picture)
            tracker.log_artifact(picture, trial=key)
            note += f"\n\n![schedule]({PICTURE})"
        tracker.set_note(note, trial=key)
        tracker.end_trial(key, at=episode.ended)


def trial_key(rival: str, number: int) -> str:
    """What a rival's trial on a held-out instance is called."""
    return f"{rival} held-out {number}"


def _kept_times(kept: Any, episode: Episode) -> tuple[float, float] | None:
    """When a trial first ran; None where what is kept is another agent's trial, or no times."""
    match kept:
        case [episode.test_score, float(began), float(ended)] if 0 < began <= ended < LATEST:
            return began, ended
        case _:
            return None


def _at(episode: Episode, decision: int) -> dict[str, float]:
    """Metrics at a decision."""
    metrics = {"score": float(episode.scores[decision])}
    metrics |= {f"scorecard/{name}": float(values[decision]) for name, values in episode.raw.items()}
    metrics |= {f"utility/{name}": float(values[decision]) for name, values in episode.utilities.items()}
    if decision < len(episode.scores) - 1:
        metrics |= {
            f"hyperparameters/{name}": float(values[decision])
            for name, values in episode.schedule.items()
            if not decision or np.ptp(values) > 0
        }
    if decision:
        metrics |= {f"training/{name}": float(values[decision - 1]) for name, values in episode.training.items()}
    return metrics


def _settings(episode: Episode) -> dict[str, float]:
    """Where each tuned hyperparameter began, and what the others were throughout."""
    start = {f"start.{name}": float(values[0]) for name, values in episode.schedule.items()}
    if episode.snapshot is None:
        return start
    others = episode.snapshot.hyperparameters.items()
    return start | {f"constant.{name}": value for name, value in others if name not in episode.schedule}
