"""Evaluated trials as child runs in MLflow."""

from collections.abc import Mapping

from cluster.tracking.tags import trial_tags
from cluster.tracking.tracker import Tracker
from rl_envs.rollout import Episode


def log_trials(
    tracker: Tracker,
    rival: str,
    episodes: list[Episode],
    iterations_per_decision: int,
    study_tags: Mapping[str, str],
) -> None:
    """One child run a trial; the steps of its metrics are GAN iterations.

    At each decision: score, raw metrics, their utilities, and the hyperparameters in force from then on; at its end
    the losses and other training statistics, means over its iterations. Last, the test rows' score and raw metrics, and
    the iteration by which each ailment (:mod:`qsynth.population.health`) was first seen.

    Args:
        episodes: of the held-out instances 0, 1, ...
        study_tags: of the parent run.
    """
    for number, episode in enumerate(episodes):
        key = f"{rival} held-out {number}"
        iterations = (len(episode.scores) - 1) * iterations_per_decision
        tags = trial_tags(study_tags, rival, episode)
        tracker.start_trial(key, {"seed": str(episode.seed), **_settings(episode)}, tags)
        for decision, score in enumerate(episode.scores):
            metrics = {"score": float(score)}
            metrics |= {f"scorecard/{name}": float(values[decision]) for name, values in episode.raw.items()}
            metrics |= {f"utility/{name}": float(values[decision]) for name, values in episode.utilities.items()}
            if decision < len(episode.scores) - 1:
                metrics |= {f"hyperparameters/{n}": float(values[decision]) for n, values in episode.schedule.items()}
            if decision:
                metrics |= {f"training/{n}": float(values[decision - 1]) for n, values in episode.training.items()}
            tracker.log(metrics, step=decision * iterations_per_decision, trial=key)
        final = {f"test/{name}": value for name, value in episode.test_raw.items()}
        final |= {f"ailment/{name}": float(at * iterations_per_decision) for name, at in episode.ailments.items()}
        score = ""
        if episode.test_score is not None:
            final["test/score"] = episode.test_score
            score = f"test score **{episode.test_score:.3f}**, "
        tracker.log(final, step=iterations, trial=key)
        tracker.set_note(
            f"**{rival}** on `{episode.instance}`: {score}validation {episode.scores[0]:.3f} -> "
            f"{episode.scores[-1]:.3f} in {iterations:,} GAN iterations ({episode.reason or 'ended'}).",
            trial=key,
        )
        tracker.end_trial(key)


def _settings(episode: Episode) -> dict[str, float]:
    """Where each tuned hyperparameter began, and what the others were throughout."""
    start = {f"start.{name}": float(values[0]) for name, values in episode.schedule.items()}
    if episode.snapshot is None:
        return start
    others = episode.snapshot.hyperparameters.items()
    return start | {f"constant.{name}": value for name, value in others if name not in episode.schedule}
