"""What every trial of an experiment of Ray Tune has in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.study.study import Study
from qsynth.data.dataset import Instance
from qsynth.errors import StudyError, did_you_mean
from qsynth.rng import checked_seed
from qsynth.space.search_space import nearest_value
from rl_envs.config import make_tuner
from rl_envs.tuner import Tuner

SEED = "seed"  # what a config may name besides hyperparameters


@dataclass(frozen=True, kw_only=True)
class TunePlan:
    """A study's trials under Tune.

    It holds the rows that they learn, so that workers need no file.

    Attributes:
        instances: lane ``l`` of a trial learns number ``l`` of them, counted around.
        n_lanes: of each trial; their seeds follow one another.
        compiled: whether each worker compiles its updates.
        demand: resource -> amount of each trial.
    """

    study: Study
    instances: tuple[Instance, ...]
    n_lanes: int
    compiled: bool
    demand: dict[str, float]

    @classmethod
    def of(cls, study: Study, instances: Sequence[int], n_lanes: int, *, compiled: bool) -> "TunePlan":
        """The plan for training instances of these numbers.

        Raises:
            QsynthError: no lanes or instances, or data that can't be read or used.
        """
        if n_lanes < 1 or not instances:
            raise StudyError(
                f"a trial must have a lane and an instance; got {n_lanes} lanes, {len(instances)} instances"
            )
        study.check_data()
        resources = study.resources.replaced(n_lanes=n_lanes, n_runners=None, beside=())
        [placement] = study.replaced(resources=resources).placements()
        made = tuple(study.data.instance(number, held_out=False) for number in instances)
        return cls(study=study, instances=made, n_lanes=n_lanes, compiled=compiled, demand=placement.demand())

    def of_lanes(self) -> list[Instance]:
        """The instance of each lane."""
        return [self.instances[lane % len(self.instances)] for lane in range(self.n_lanes)]

    def tuner(self) -> Tuner:
        """A population of one trial's lanes.

        Raises:
            QsynthError: the engine can't be made here, or there is no GPU for a study on one.
        """
        place = self.study.resources.place
        return make_tuner(self.study.environment(self.compiled).at(place), self.n_lanes, self.instances[0])

    def values(self, config: Mapping[str, Any]) -> dict[str, float]:
        """A config's hyperparameters, at the nearest values that the study has.

        Raises:
            QsynthError: one that the study does not tune, or no number.
        """
        space = self.study.trial.search_space
        for name in config:
            if name not in space and name != SEED:
                known = (*space, SEED)
                raise StudyError(f"config must name what the study tunes; got {name!r}.{did_you_mean(name, known)}")
        return {name: nearest_value(space[name], value) for name, value in config.items() if name != SEED}

    def seeds(self, config: Mapping[str, Any]) -> list[int]:
        """Of each lane: the config's or else the study's, and those after it.

        Raises:
            QsynthError: no seed.
        """
        first = checked_seed(config.get(SEED, self.study.seed))
        return [first + lane for lane in range(self.n_lanes)]
