"""What an agent sees and does, in a study that it was not trained on."""

from collections.abc import Sequence

import numpy as np

from qsynth.errors import QsynthError
from qsynth.population.trial import TrialConfig
from qsynth.space.search_space import Choice, SearchSpace
from rl_envs.observation import VALUE
from rl_envs.spaces import Entries, Recover, moved


class Encoding:
    """Matches an agent and a study by names.

    The agent's features that the study lacks are 0, those of the study that it does not know are left out.
    Hyperparameters keep the agent's own scale, on which it sees and moves them, whatever limits the study has; these
    clip. What the study does not tune is seen, but not moved; what the agent does not know stays at its default.

    Args:
        features, actions: the agent's.
        study_features, study_actions: the study's.
        max_step: the agent's, on its own scale.

    Attributes:
        features, actions: the agent's.
        shared: hyperparameters, and recoveries, that both know.
        unknown: those that only the study knows.
        unseen: the agent's features that the study lacks.

    Raises:
        QsynthError: they have no action in common, or one by the same name that is not of the same kind.
    """

    def __init__(
        self,
        features: Sequence[str],
        actions: Entries,
        study_features: Sequence[str],
        study_actions: Entries,
        max_step: float,
    ) -> None:
        self.features, self.actions, self._max_step = list(features), dict(actions), max_step
        self._study_actions = dict(study_actions)
        self._scales = {name: entry for name, entry in actions.items() if not isinstance(entry, Recover)}
        places = {name: index for index, name in enumerate(study_features)}
        shared = [(own, places[name]) for own, name in enumerate(features) if name in places]
        self._own, self._theirs = ([pair[side] for pair in shared] for side in (0, 1))
        self.shared = [name for name in actions if name in study_actions]
        if not self.shared:
            raise QsynthError(
                f"an agent must share a hyperparameter with the study; it tunes {', '.join(actions)}, "
                f"the study {', '.join(study_actions)}"
            )
        for name in self.shared:
            ours, theirs = actions[name], study_actions[name]
            same = ours.kind == theirs.kind
            if not same or (isinstance(ours, Choice) and ours != theirs):
                raise QsynthError(
                    f"an agent must know {name} as the study does; it is {_kind(ours)}, not {_kind(theirs)}"
                )
        self.unknown = [name for name in study_actions if name not in actions]
        self.unseen = [name for name in features if name not in places and not name.startswith(VALUE)]

    def remarks(self) -> list[str]:
        """What is different from the agent's training, a line each."""
        remarks = []
        if self.unknown:
            remarks.append(f"the agent leaves {', '.join(self.unknown)} at the study's defaults")
        if idle := [name for name in self.actions if name not in self.shared]:
            remarks.append(f"the study does not let it tune {', '.join(idle)}")
        if self.unseen:
            remarks.append(f"it was trained to see {', '.join(self.unseen)}")
        return remarks

    def observe(self, observation: np.ndarray, values: dict[str, np.ndarray]) -> np.ndarray:
        """The agent's observations (lanes x its features, float32) from a study's (lanes x the study's features).

        Args:
            values: all present hyperparameters, name -> lanes.
        """
        seen = np.zeros((len(observation), len(self.features)), dtype=np.float32)
        seen[:, self._own] = observation[:, self._theirs]
        for column, feature in enumerate(self.features):
            name = feature.removeprefix(VALUE)
            if name != feature and name in values and name in self._scales:
                seen[:, column] = 2.0 * self._scales[name].to_unit(self._within(name, values)) - 1.0
        return seen

    def moves(self, values: dict[str, np.ndarray], actions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The study's hyperparameters after the agent's actions, name -> lanes; and treatments."""
        own = {name: self.actions[name] for name in self.shared}
        within = {name: self._within(name, values) for name in self._scales if name in values}
        changes = moved(own, within, actions, self._max_step)
        for name, change in changes.items():
            limits = self._study_actions[name]
            if not isinstance(limits, Recover):
                target = np.clip(change, limits.low, limits.high)
                changes[name] = np.where(change == within[name], values[name], target)
        return changes

    def _within(self, name: str, values: dict[str, np.ndarray]) -> np.ndarray:
        """Values of a hyperparameter on the agent's scale: those outside count as its ends."""
        scale = self._scales[name]
        return np.asarray(np.clip(values[name], scale.low, scale.high), dtype=float)


def _kind(entry: object) -> str:
    return f"one of {list(entry.values)}" if isinstance(entry, Choice) else f"a {getattr(entry, 'kind', entry)}"


def limited(actions: Entries, config: TrialConfig) -> SearchSpace:
    """A search space for trials that name none: an agent's scales, as far as a trial's capacity and kinds allow.

    What does not reach the trial's default is left out.
    """
    space: SearchSpace = {}
    for name, entry in actions.items():
        if isinstance(entry, Recover | Choice) or name not in config.tunable:
            continue
        low, high = config.limits(name)
        low, high = max(low, entry.low), min(high, entry.high)
        if low < high and low <= config.default(name) <= high:
            space[name] = entry.replaced(low=low, high=high)
    return space
