"""What goes wrong in adversarial training: named ailments of each trial, from statistics that training takes anyway."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.population.training_statistics import TrainingStatistics

EDGE = 0.98

# Thresholds; python -m tests.benchmarks.health measures which trials cross them.
# An output at +-1 has no gradient (<Z> is at an extremum there), so training does not bring it back. What does well
# stays below 0.07; trials of the first source paper that pass a half all end at 1. What the data has is not counted.
SATURATED = 0.5
# Rows that spread by less than a tenth of what the real rows do stand for one point; trials that do well stay above a
# quarter, their starts included.
COLLAPSED = 0.1
# Norm of the loss's gradient in the generator's parameters; 0.2 to 2.2 where all is well. Adam divides it out, so a
# small one still trains, but more and more on rounding errors of losses of order 1.
VANISHED = 1e-3
# Norm of the gradient of the critic's loss; below 1 in trials that do well, 14 in the first steps with gp_weight 10.
EXPLODED = 100.0
# Share of a circuit's parameters that what is measured does not depend on: the last layer's gates on idle qubits always
# are such; from a half on, qubits are disconnected.
DEAD = 0.5

AILMENTS = ("saturation", "collapse", "vanishing_gradient", "exploding_critic", "dead_parameters")
REMEDIES = {
    "saturation": "use penalty one_sided, lower gp_weight or the learning rates, or another seed",
    "collapse": "raise n_critic or lr_critic, lower lr_generator, or another seed",
    "vanishing_gradient": "raise gp_weight or lower lr_critic, use fewer qubits or layers, or another seed",
    "exploding_critic": "raise gp_weight or lower lr_critic",
    "dead_parameters": "use more layers, an ansatz whose entangling gates form a ring, or measure more qubits",
}


@dataclass(frozen=True)
class RealRows:
    """What the real rows (scaled) of each lane are like; arrays of shape lanes.

    Attributes:
        spread: standard deviation, averaged over features.
        saturation: share of their values beyond +-0.98.
    """

    spread: np.ndarray
    saturation: np.ndarray

    @classmethod
    def of(cls, instances: Sequence[Instance]) -> "RealRows":
        """Of the training rows of each lane's instance."""
        rows = [instance.train.x for instance in instances]
        return cls(
            np.array([x.std(axis=0).mean() for x in rows], dtype=float),
            np.array([(np.abs(x) > EDGE).mean() for x in rows], dtype=float),
        )


def ailments(training: TrainingStatistics, real: RealRows, dead: np.ndarray) -> dict[str, np.ndarray]:
    """Which lanes have which ailments: name -> lanes, bool, in the order of :data:`AILMENTS`.

    What is not a number raises none: a lane whose training broke is ``diverged``.

    Args:
        training: means over the iterations that are judged.
        dead: share of each lane's circuit parameters without effect (:func:`qsynth.population.inspection.dead_share`).
    """
    found = (
        training.saturation - real.saturation > SATURATED * (1.0 - real.saturation),
        training.spread < COLLAPSED * real.spread,
        training.gradient_generator < VANISHED,
        training.gradient_critic > EXPLODED,
        dead >= DEAD,
    )
    return dict(zip(AILMENTS, found, strict=True))
