"""A synthesizer whose GAN is tuned by a trained agent while it trains."""

import logging
from collections.abc import Callable

import numpy as np

from qsynth.data.source import DataSource
from qsynth.errors import DivergedError
from qsynth.population.best import KeepBest
from qsynth.population.population import Population
from qsynth.population.snapshot import Keep
from qsynth.population.trial import TrialConfig
from qsynth.synthesizer import QGANSynthesizer, check_config, check_fit
from rl_envs.agents import TrainedAgent
from rl_envs.encoding import limited
from rl_envs.observation import VALUE
from rl_envs.policy import load_policy
from rl_envs.pretrained import DEFAULT, agent_file
from rl_envs.tuner import EpisodeConfig, Tuner

logger = logging.getLogger(__name__)


class TunedSynthesizer(QGANSynthesizer):
    """:class:`QGANSynthesizer` with an agent that chooses the hyperparameters, in one run.

    >>> synthesizer = TunedSynthesizer(TrialConfig(n_qubits=4))
    >>> synthesizer.fit(TableData(name="iris"), seed=0)   # doctest: +SKIP

    Args:
        config: circuit, losses, and what the agent may tune; without a search space, all that it knows of and that the
            config's kinds have, on the agent's own scales as far as the capacity reaches.
        agent: a shipped agent's name, or an agent's file.

    Attributes:
        schedule: what the agent chose: name -> value before each of its decisions.

    Raises:
        QsynthError: no such agent.
    """

    def __init__(self, config: TrialConfig, agent: str = DEFAULT) -> None:
        check_config(config)
        self._agent = agent_file(agent)
        if not config.search_space:
            _, file = load_policy(self._agent)
            config = config.replaced(search_space=limited(file.search_space, config))
        super().__init__(config)
        self.schedule: dict[str, list[float]] = {}

    def fit(
        self,
        data: DataSource,
        n_iterations: int = 500,
        seed: int = 0,
        evaluate_every: int = 25,
        on_evaluation: Callable[[dict[str, float]], None] = lambda _: None,
        keep: Keep = "best",
    ) -> "TunedSynthesizer":
        """Train one trial; at each evaluation the agent decides what the next iterations' hyperparameters are.

        ``history`` keeps iteration, score, utilities and hyperparameters at each evaluation.

        Args:
            n_iterations: rounded up to whole decisions.
            evaluate_every: iterations between decisions.
            keep: which generator becomes the synthesizer's, as for :class:`QGANSynthesizer`.

        Raises:
            QsynthError: data or an argument can't be used, the agent has nothing to tune here, or training diverged.
        """
        check_fit(data, n_iterations, seed, evaluate_every, on_evaluation, keep)
        instance = data.instance(seed, held_out=False)
        population = Population(self.config, instance.n_features, instance.n_classes, 1)
        n_decisions = -(-n_iterations // evaluate_every)
        tuner = Tuner(population, EpisodeConfig(n_decisions=n_decisions, iterations_per_decision=evaluate_every))
        agent = TrainedAgent.load(self._agent, tuner.features, tuner.actions)
        for remark in agent.remarks:
            logger.info("%s", remark)
        self.history = []
        names = sorted(self.config.search_space)
        observation = tuner.begin([0], [instance], [seed])
        best = KeepBest(population)
        for decision in range(n_decisions):
            step = tuner.step(agent.decide(observation, tuner.values, decision / n_decisions))
            if step.failed[0]:
                raise DivergedError(
                    f"training ended early ({step.reason[0]}); try another seed, or a narrower search space"
                )
            observation = step.observation
            entry = {
                "iteration": float(population.iterations[0]),
                "score": float(step.score[0]),
                **{f"utility.{name}": float(value[0]) for name, value in step.utilities.items()},
                **{f"{VALUE}{name}": float(tuner.values[name][0]) for name in names},
            }
            self.history.append(entry)
            on_evaluation(entry)
            best.look(step.score, np.ones(1, dtype=bool))
        self.schedule = {name: [entry[f"{VALUE}{name}"] for entry in self.history] for name in names}
        self._adopt(best.snapshots[0] if keep == "best" else population.snapshot(0), instance)
        return self
