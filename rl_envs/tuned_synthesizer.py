"""A synthesizer whose GAN is tuned by a trained agent while it trains."""

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.errors import DivergedError
from qsynth.population.best import KeepBest
from qsynth.population.population import Population
from qsynth.population.snapshot import Keep, Snapshot
from qsynth.population.trial import TrialConfig
from qsynth.synthesis.diary import Diary
from qsynth.synthesis.table_fit import QUANTUM
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.agents import TrainedAgent
from rl_envs.encoding import limited
from rl_envs.observation import VALUE
from rl_envs.policy import load_policy
from rl_envs.pretrained import DEFAULT, agent_file
from rl_envs.tuner import EpisodeConfig, Tuner


class TunedSynthesizer(QGANSynthesizer):
    """:class:`QGANSynthesizer` with an agent that chooses the hyperparameters, in one run.

    >>> synthesizer = TunedSynthesizer(TrialConfig(n_qubits=4), random_state=0)
    >>> synthesizer.fit(TableData(name="iris"))   # doctest: +SKIP

    ``history`` keeps iteration, score, utilities and hyperparameters at each evaluation.

    Args:
        config: circuit, losses, and what the agent may tune; without a search space, all that it knows of and that the
            config's kinds have, on the agent's own scales as far as the capacity reaches.
        agent: a shipped agent's name, or an agent's file.
        n_iterations: rounded up to whole decisions.
        evaluate_every: iterations between decisions.
        method, keep, random_state, verbose: as for :class:`QGANSynthesizer`.

    Attributes:
        schedule: what the agent chose: name -> value before each of its decisions.

    Raises:
        QsynthError: no such agent, or a config that is none.
    """

    def __init__(
        self,
        config: TrialConfig | None = None,
        agent: str = DEFAULT,
        *,
        method: str = QUANTUM,
        n_iterations: int = 200,
        evaluate_every: int = 25,
        keep: Keep = "last",
        random_state: int | None = None,
        verbose: bool | None = None,
    ) -> None:
        super().__init__(
            config,
            method=method,
            n_iterations=n_iterations,
            evaluate_every=evaluate_every,
            keep=keep,
            random_state=random_state,
            verbose=verbose,
        )
        agent_file(agent)
        self.agent = agent
        self.schedule: dict[str, list[float]] = {}

    @property
    def chosen_by(self) -> str:
        """Who chooses the hyperparameters."""
        return f"hyperparameters are chosen by the agent {self.agent} at each decision"

    def _config(self) -> TrialConfig:
        """The config with what the agent may tune."""
        config = super()._config()
        if config.search_space:
            return config
        _, file = load_policy(agent_file(self.agent))
        return config.replaced(search_space=limited(file.search_space, config))

    def _train(self, config: TrialConfig, instance: Instance, seed: int, diary: Diary) -> Snapshot:
        """Train one trial; at each evaluation the agent decides what the next iterations' hyperparameters are.

        Raises:
            QsynthError: the agent has nothing to tune here, or training ended early.
        """
        population = Population(config, instance.n_features, instance.n_classes, 1)
        n_decisions = -(-self.n_iterations // self.evaluate_every)
        episode = EpisodeConfig(n_decisions=n_decisions, iterations_per_decision=self.evaluate_every)
        tuner = Tuner(population, episode)
        agent = TrainedAgent.load(agent_file(self.agent), tuner.features, tuner.actions)
        for remark in agent.remarks:
            diary.note(remark)
        names = sorted(config.search_space)
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
            diary.tell(entry)
            best.look(step.score, np.ones(1, dtype=bool))
        self.schedule = {name: [entry[f"{VALUE}{name}"] for entry in diary.history] for name in names}
        return best.snapshots[0] if self.keep == "best" else population.snapshot(0)
