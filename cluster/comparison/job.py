"""What a comparison is made of: one rival on one problem with one budget."""

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np

from cluster.comparison.rivals.rival import FIRST_SEED, SEEDS_PER_PROBLEM, Rival
from qsynth.population.snapshot import Keep
from qsynth.space.search_space import SearchSpace, random_point


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An instance and a trial seed.

    Attributes:
        study: the study's name.
        number: of the instance.
        held_out: whether that is a held-out instance, or one to train and tune on.
        seed: of the first trial; the trial with number n has this plus n, whoever asks.
        start: hyperparameters for those who start from given ones.
    """

    study: str
    number: int
    held_out: bool
    seed: int
    start: dict[str, float]


def held_out_problem(study: str, number: int, start: dict[str, float]) -> Problem:
    """One of those that rivals are compared on; its trials' seeds are met nowhere else."""
    return Problem(study=study, number=number, held_out=True, seed=FIRST_SEED + number * SEEDS_PER_PROBLEM, start=start)


def starting_values(space: SearchSpace, defaults: dict[str, float], random: bool, number: int) -> dict[str, float]:
    """What those start from who do not choose their own: the defaults, or values drawn at random."""
    if not random:
        return {name: defaults[name] for name in space}
    return random_point(space, np.random.default_rng([number, 1]))


@dataclass(frozen=True, kw_only=True)
class ComparisonJob:
    """One rival on one problem.

    Attributes:
        runs: its budget, in runs.
        marks: budgets, in runs, at which what it would return is measured.
        context: identifies the study's settings.
        keep: which GANs of a trial may be returned: those of all decisions, or the one at the end of a whole run.
    """

    rival: Rival
    problem: Problem
    runs: int
    marks: tuple[int, ...]
    context: str
    keep: Keep = "best"

    @property
    def key(self) -> str:
        """The same for jobs of which the result is the same."""
        about = {
            "context": self.context,
            "rival": [self.rival.name, self.rival.detail, self.rival.identity],
            "problem": asdict(self.problem),
            "runs": self.runs,
            "marks": self.marks,
            "keep": self.keep,
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]
