"""The agent as a scheduler of Ray Tune: it moves hyperparameters of running trials at their results, as PBT does."""

import logging
from collections.abc import Mapping
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from qsynth.errors import StudyError
from rl_envs.named_metrics import metric_names
from rl_envs.pretrained import DEFAULT
from rl_envs.schedule_agent import Limits, ScheduleAgent

SEEN, VALUES = "seen/", "hyperparameters/"
TIME = "training_iteration"

logger = logging.getLogger(__name__)


class AgentScheduler(FIFOScheduler):  # type: ignore[misc]  # Ray has no types
    """Lets a trained agent move the hyperparameters of every trial at each of its results; no trial is stopped.

    Each trial of a study (:func:`cluster.ray_tune.trainable`) tells what the agent needs, and takes new values at once.
    Any other Trainable works too: its results have metrics by the names of :func:`rl_envs.named_metrics.metric_names`,
    with ``.`` or ``/``; its config has hyperparameters by the agent's names; and it has ``reset_config``,
    ``save_checkpoint`` and ``load_checkpoint``, as new values need a pause, which the Tuner's ``reuse_actors`` makes
    cheap. What the agent does not know of it is logged, in one line.

    Tune asks a scheduler at results only, so the first decision's values are the config's.

    Args:
        agent: a shipped agent's name, or an agent's file.
        max_t: results of a whole trial; needed with other Trainables than a study's.
        limits: name -> lowest and highest value of other Trainables' hyperparameters; left out: those that the agent
            was trained within.

    Raises:
        QsynthError: no such agent, or limits of what it does not know.
    """

    def __init__(self, agent: str = DEFAULT, max_t: int | None = None, limits: Limits | None = None) -> None:
        super().__init__()
        self._agent, self._max_t, self._limits = agent, max_t, limits
        self._agents: dict[str, ScheduleAgent] = {}
        self._said = False

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Ask the agent, and have the trial go on with what it says.

        Raises:
            QsynthError: a config or results of which the agent knows nothing.
        """
        changed = self._changed(trial, result)
        if not changed:
            return str(TrialScheduler.CONTINUE)
        trial.set_config({**trial.config, **changed})
        actor = trial.temporary_state.ray_actor
        if actor is not None and hasattr(trial.get_trainable_cls(), "change"):
            actor.change.remote(changed)  # runs before the next step, which is sent after it
            return str(TrialScheduler.CONTINUE)
        return str(TrialScheduler.PAUSE)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Those that were paused for new values go on before others begin."""
        paused = [trial for trial in tune_controller.get_trials() if trial.status == Trial.PAUSED]
        return paused[0] if paused else super().choose_trial_to_run(tune_controller)

    def debug_string(self) -> str:
        """What Tune prints."""
        return f"AgentScheduler: {self._agent}, {len(self._agents)} trials"

    def _changed(self, trial: Trial, result: Mapping[str, Any]) -> dict[str, Any]:
        seen, own = _below(SEEN, result), _below(VALUES, result)
        if trial.trial_id not in self._agents:
            self._agents[trial.trial_id] = self._agent_of(trial, own)
        agent = self._agents[trial.trial_id]
        if seen:
            agent.values |= {name: own[name] for name in agent.values}
        before = dict(agent.values)
        if seen:
            decided = agent.decide(seen)
        else:
            known = metric_names()
            named = {name.replace("/", "."): value for name, value in result.items()}
            agent.decisions = int(result[TIME]) - 1  # also where an experiment is restored
            decided = agent.step({name: value for name, value in named.items() if name in known})
        self._say(agent)
        return {name: _like(trial.config.get(name), value) for name, value in decided.items() if value != before[name]}

    def _agent_of(self, trial: Trial, own: Mapping[str, float]) -> ScheduleAgent:
        """One for a trial, which is asked as often as the trial has decisions."""
        plan = getattr(trial.get_trainable_cls(), "plan", None)
        if plan is not None:
            study = plan.study
            space = study.trial.search_space
            return ScheduleAgent(
                self._agent,
                {name: own[name] for name in space},
                n_decisions=study.episode.n_decisions,
                limits={name: (each.low, each.high) for name, each in space.items()},
                fixed={name: value for name, value in own.items() if name not in space},
            )
        if self._max_t is None:
            raise StudyError(
                "AgentScheduler needs max_t, the results of a whole trial, with a Trainable of other makers"
            )
        numbers = {name: float(value) for name, value in trial.config.items() if isinstance(value, int | float)}
        return ScheduleAgent(self._agent, numbers, n_decisions=self._max_t, limits=self._limits)

    def _say(self, agent: ScheduleAgent) -> None:
        if not self._said and agent.unknown:
            logger.warning("%s", agent.unknown)
        self._said = True


def _below(prefix: str, result: Mapping[str, Any]) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in result.items() if name.startswith(prefix)}


def _like(present: Any, value: float) -> Any:
    """A value in the type of the one that it replaces."""
    return round(value) if isinstance(present, int) else value
