"""A trained agent for anybody's training loop: metrics in, hyperparameters out. No population, no Ray."""

from collections.abc import Mapping

import numpy as np

from qsynth.errors import StudyError
from qsynth.space.search_space import Float, Int
from rl_envs.agents import TrainedAgent
from rl_envs.named_metrics import NamedMetrics
from rl_envs.observation import VALUE
from rl_envs.policy import load_policy
from rl_envs.pretrained import DEFAULT, agent_file
from rl_envs.spaces import ActionEntry, Recover

Limits = Mapping[str, tuple[float, float]]
EXAMPLES = 4


class ScheduleAgent:
    """Moves the hyperparameters of one training run, decision by decision.

    >>> tuner = ScheduleAgent("default", {"lr_generator": 0.03, "lr_critic": 0.003}, n_decisions=20)
    >>> values = tuner.step({"score": 0.4, "loss.generator": 0.1, "loss.critic": -0.2})

    The agent knows hyperparameters and metrics by names, and takes what it is not told for average. It was trained on
    qsynth's own GANs. In a plain Wasserstein GAN the shipped one did harm (tests/benchmarks/README.md): measure.

    Args:
        agent: a shipped agent's name, or an agent's file.
        values: hyperparameters to begin with; those that the agent does not know stay as they are.
        n_decisions: how often :meth:`step` will be called in the whole run.
        limits: name -> lowest and highest value; left out: those that the agent was trained within.
        fixed: further hyperparameters, which the agent sees and does not move.
        problem: what is known before any training (:class:`NamedMetrics`).

    Attributes:
        values: the present ones.
        decisions: how many are done; whoever goes on with a run sets it.
        unseen: what the agent was trained to see, and was not told last.

    Raises:
        QsynthError: no such agent, nothing that it could move, or limits of what has no value.
    """

    def __init__(
        self,
        agent: str = DEFAULT,
        values: Mapping[str, float] | None = None,
        *,
        n_decisions: int,
        limits: Limits | None = None,
        fixed: Mapping[str, float] | None = None,
        problem: Mapping[str, float] | None = None,
    ) -> None:
        if n_decisions < 1:
            raise StudyError(f"n_decisions must be at least 1; got {n_decisions}")
        self._path = agent_file(agent)
        self._network, self._file = load_policy(self._path)
        self.values = {name: float(value) for name, value in (values or {}).items()}
        self._fixed = {name: np.array([float(value)]) for name, value in (fixed or {}).items()}
        self._actions = self._movable(limits or {})
        self._metrics, self._n_decisions, self.decisions = NamedMetrics(problem or {}), n_decisions, 0
        self._agents: dict[tuple[str, ...], TrainedAgent] = {}
        self.unseen: list[str] = []
        self._agent_for(())  # refuses what can't be moved

    @property
    def unknown(self) -> str:
        """One line: what the agent does not know, and what it misses as far as it has been told anything."""
        parts = []
        if others := sorted(name for name in self.values if name not in self._actions):
            parts.append(f"leaves {', '.join(others)} as they are")
        if idle := [name for name in self._file.search_space if name not in self._actions]:
            parts.append(f"can't move {', '.join(idle)}")
        if self.decisions and self.unseen:
            first = ", ".join(self.unseen[:EXAMPLES])
            parts.append(f"does not see {len(self.unseen)} of {len(self._file.features)} features, such as {first}")
        return f"the agent {'; '.join(parts)}" if parts else ""

    def step(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """What came of the training since the last decision -> the values to go on with.

        Args:
            metrics: by name (:meth:`NamedMetrics.see`); those that are not measured are left out.

        Raises:
            QsynthError: a metric that agents don't know by that name.
        """
        return self.decide(self._metrics.see(metrics, min(1.0, (self.decisions + 1) / self._n_decisions)))

    def decide(self, seen: Mapping[str, float]) -> dict[str, float]:
        """The same from entries of an observation, scaled already: name -> value."""
        self.decisions += 1
        features = tuple(name for name in seen if not name.startswith(VALUE))
        agent = self._agent_for(features)
        observation = np.array([[seen[name] for name in features]], dtype=np.float32)
        lanes = self._fixed | {name: np.array([value]) for name, value in self.values.items()}
        moved = agent.decide(np.nan_to_num(observation), lanes, 0.0)
        self.values |= {name: float(value[0]) for name, value in moved.items() if name in self.values}
        return dict(self.values)

    def _movable(self, limits: Limits) -> dict[str, ActionEntry]:
        known: dict[str, ActionEntry] = {
            name: entry
            for name, entry in self._file.search_space.items()
            if name in self.values and not isinstance(entry, Recover)
        }
        for name, (low, high) in limits.items():
            if name not in self.values:
                raise StudyError(f"limits must be of hyperparameters in values: {', '.join(self.values)}; got {name!r}")
            entry = known.get(name)
            if isinstance(entry, Float | Int):
                known[name] = entry.replaced(low=low, high=high)
        if not known:
            raise StudyError(
                f"values must name a hyperparameter of the agent's: {', '.join(self._file.search_space)}; "
                f"got {', '.join(self.values) or 'none'}"
            )
        return known

    def _agent_for(self, features: tuple[str, ...]) -> TrainedAgent:
        if features not in self._agents:
            made = TrainedAgent.of(self._path, self._network, self._file, list(features), self._actions)
            self._agents[features] = made
        self.unseen = [name for name in self._file.features if name not in features and not name.startswith(VALUE)]
        return self._agents[features]
