"""What a population's generators are taught by a QNN."""

from qsynth.errors import StudyError
from qsynth.population.measures import build_qnn
from qsynth.population.trial import TrialConfig
from qsynth.qnn.lesson import Lesson

NAME = "utility_weight"


def build_lesson(config: TrialConfig, n_features: int, n_classes: int) -> Lesson | None:
    """What a trial's QNN learns from its rows; None where ``utility_weight`` does not act.

    Raises:
        StudyError: it acts, and there are no classes to learn.
    """
    if NAME not in config.used:
        return None
    if n_classes < 2:
        raise StudyError(f"{NAME} must be left out with data without classes, from which no QNN learns")
    return Lesson(build_qnn(config, n_features, n_classes).model)
