"""What goes wrong in adversarial training: named ailments of each trial, from statistics that training takes anyway."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.training_statistics import TrainingStatistics

EDGE = 0.98

# Thresholds; python -m tests.benchmarks.health measures which trials cross them.
# An output at +-1 has no gradient (<Z> is at an extremum there), so training does not bring it back: beyond half of the
# rows, nor does it in any seed of the first source paper's recipe. Rows that the data has at the edge don't count.
SATURATED = 0.5
# Rows spread by less than a tenth of what the real rows do stand for one point; trials start above that.
COLLAPSED = 0.1
# Norm of the loss's gradient in the generator's parameters. Adam divides it out, so a small one still trains; below
# single precision's rounding of losses of order 1, what Adam blows up is noise.
VANISHED = 1e-4
# Norm of the critic's loss's gradient, which is of order 1 where a slope of about 1 is asked for.
EXPLODED = 100.0
# Share of a circuit's parameters outside the light cone of what is measured. The last layer's gates on idle qubits
# always are; from half of them on, qubits are disconnected.
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
class Real:
    """What the real rows (scaled) of each lane are like; arrays of shape lanes.

    Attributes:
        spread: standard deviation, averaged over features.
        saturation: share of their values beyond +-0.98.
    """

    spread: np.ndarray
    saturation: np.ndarray

    @classmethod
    def of(cls, instances: Sequence[Instance]) -> "Real":
        """Of the training rows of each lane's instance."""
        rows = [instance.train.x for instance in instances]
        return cls(
            np.array([x.std(axis=0).mean() for x in rows], dtype=float),
            np.array([(np.abs(x) > EDGE).mean() for x in rows], dtype=float),
        )


def ailments(training: TrainingStatistics, real: Real, dead: np.ndarray) -> dict[str, np.ndarray]:
    """Which lanes have which ailments: name -> lanes, bool, in the order of :data:`AILMENTS`.

    What is not a number raises none: a lane whose training broke is ``diverged``.

    Args:
        training: means over the iterations that are judged.
        dead: share of each lane's circuit parameters without effect (:func:`qsynth.inspection.dead_share`).
    """
    found = (
        training.saturation - real.saturation > SATURATED * (1.0 - real.saturation),
        training.spread < COLLAPSED * real.spread,
        training.gradient_generator < VANISHED,
        training.gradient_critic > EXPLODED,
        dead >= DEAD,
    )
    return dict(zip(AILMENTS, found, strict=True))
