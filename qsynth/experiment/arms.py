"""Ways to train a QNN: real rows alone, with synthetic ones beside them, or with the rows of an oracle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role
from qsynth.experiment.task import Task
from qsynth.experiment.training_set import TrainingSet, beside, joined, onehot, real_rows
from qsynth.registry import Registry
from qsynth.synthesis.soft_labels import soft_labels

BARS = ("real rows", "real rows, class weights", "real rows, class weights, early stop")
ORACLES = ("oracle", "oracle, early stop")
SOFT = ", soft labels"


@dataclass(frozen=True, kw_only=True)
class RealArm:
    """Real rows alone.

    Attributes:
        weighted: whether every class has the same weight; else every row has.
        stops_early: whether two folds of the rows say when to stop.
        has_more: whether it has the oracle's rows too.
    """

    name: str
    about: str
    weighted: bool
    stops_early: bool
    has_more: bool = False

    @property
    def role(self) -> Role:
        """What it is compared as."""
        return "ceiling" if self.has_more else "real rows"

    def training_set(self, task: Task) -> TrainingSet:
        """What the QNN is fitted on."""
        real = joined(task.instance.train, task.more) if self.has_more else task.instance.train
        return real_rows(real, task.instance.n_classes, weighted=self.weighted, stops_early=self.stops_early)


REAL_ARMS: Registry[RealArm] = Registry("arm of real rows", own_name=lambda arm: arm.name)
for _arm in (
    RealArm(name="real rows", about="every row with the same weight, all steps", weighted=False, stops_early=False),
    RealArm(
        name="real rows, class weights",
        about="every class with the same weight, all steps",
        weighted=True,
        stops_early=False,
    ),
    RealArm(
        name=BARS[2],
        about="every class with the same weight, two folds of the rows say when to stop",
        weighted=True,
        stops_early=True,
    ),
    RealArm(name="oracle", about="more real rows, all steps", weighted=True, stops_early=False, has_more=True),
    RealArm(
        name=ORACLES[1],
        about="more real rows, two folds say when to stop",
        weighted=True,
        stops_early=True,
        has_more=True,
    ),
):
    REAL_ARMS.register(_arm.name)(_arm)


@dataclass(frozen=True)
class SyntheticArm:
    """Real rows and those of a synthesizer.

    Attributes:
        labels: ``hard`` are the classes that rows were asked to have; ``soft`` the probabilities that a logistic
            regression on the real rows gives them.
    """

    synthesizer: str
    labels: Literal["hard", "soft"]

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.synthesizer + (SOFT if self.labels == "soft" else "")

    @property
    def about(self) -> str:
        """What it does, in words."""
        about = ROW_SYNTHESIZERS[self.synthesizer].about
        return about + ("; labels are a logistic regression's probabilities" if self.labels == "soft" else "")

    @property
    def role(self) -> Role:
        """What it is compared as."""
        return ROW_SYNTHESIZERS[self.synthesizer].role

    def training_set(self, task: Task, x: Floats, labels: Labels, share: float) -> TrainingSet:
        """What the QNN is fitted on, from synthetic rows ``x`` (``n x d``) of classes ``labels`` (``n``)."""
        real, n_classes = task.instance.train, task.instance.n_classes
        hard = self.labels == "hard"
        targets = onehot(labels, n_classes) if hard else soft_labels(real.x, real.y, n_classes, x)
        return beside(real, x, targets, share)


Arm = RealArm | SyntheticArm


def find_arm(name: str) -> Arm:
    """The arm of this name; ``NAME, soft labels`` is that of synthesizer NAME with soft labels.

    Raises:
        StudyError: there is none; the message has what may have been meant.
    """
    if name in REAL_ARMS:
        return REAL_ARMS[name]
    synthesizer = name.removesuffix(SOFT)
    if synthesizer not in ROW_SYNTHESIZERS and synthesizer in REAL_ARMS:
        return REAL_ARMS[name]  # which says that there is none
    _ = ROW_SYNTHESIZERS[synthesizer]
    return SyntheticArm(synthesizer, "soft" if name.endswith(SOFT) else "hard")


def needed(arms: Sequence[Arm]) -> list[str]:
    """Names of the synthesizers whose rows the arms need, each once."""
    return list(dict.fromkeys(arm.synthesizer for arm in arms if isinstance(arm, SyntheticArm)))
