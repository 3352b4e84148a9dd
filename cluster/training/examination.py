"""How good an agent is while it is trained: on instances of each task that it does not train on."""

from collections.abc import Callable

import numpy as np

from qsynth.population.snapshot import Keep
from rl_envs.agents import Agent, Hold, TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.curriculum import CurriculumConfig
from rl_envs.encoding import Encoding
from rl_envs.policy import PolicyNetwork
from rl_envs.rollout import Assignment, Episode, play
from rl_envs.tuner import Tuner

FIRST_SEED = 3 * 2**60  # apart from those that measure test rows (:mod:`rl_envs.exam`)


class Examination:
    """The same trials every time, a population a task, here in this process.

    Args:
        n_instances: of each task; they follow the training instances, in the same stream.
        keep: which decision of a trial counts.

    Attributes:
        defaults: task -> mean validation score of trials with the study's defaults.
    """

    def __init__(self, curriculum: CurriculumConfig, n_instances: int, keep: Keep) -> None:
        self._curriculum, self._keep = curriculum, keep
        self._tuners: dict[str, Tuner] = {}
        self._trials: dict[str, list[Assignment]] = {}
        for name, task in curriculum.tasks.items():
            self._tuners[name] = make_tuner(task, n_instances)
            first = task.n_instances
            self._trials[name] = [
                Assignment(task.data.instance(first + index, held_out=False), FIRST_SEED + index)
                for index in range(n_instances)
            ]
        self.defaults = self._scores(lambda _: Hold())

    def scores(self, network: PolicyNetwork) -> dict[str, float]:
        """Task -> mean validation score of trials under this policy, acting greedily."""

        def agent(tuner: Tuner) -> Agent:
            curriculum = self._curriculum
            encoding = Encoding(
                curriculum.features, curriculum.actions, tuner.features, tuner.actions, curriculum.episode.max_step
            )
            return TrainedAgent(network, encoding)

        return self._scores(agent)

    def _scores(self, agent_for: Callable[[Tuner], Agent]) -> dict[str, float]:
        found = {}
        for name, tuner in self._tuners.items():
            agent = agent_for(tuner)
            episodes = play(tuner, lambda _, agent=agent: agent, self._trials[name])  # type: ignore[misc]
            found[name] = float(np.mean([self._score(episode) for episode in episodes]))
        return found

    def _score(self, episode: Episode) -> float:
        return float(episode.scores.max() if self._keep == "best" else episode.scores[-1])
