"""The recommended settings are those of the bundled tables' presets."""

import pytest

from cluster.study.study import load_study
from qsynth import StudyError, recommended_trial
from qsynth.population.recommended import RECOMMENDED


@pytest.mark.parametrize("preset", ["iris", "wine", "breast_cancer", "qubit_calibrations"])
def test_it_is_the_recipe_of_the_presets(preset: str) -> None:
    study = load_study(preset).trial
    made = recommended_trial(study.n_qubits)
    for name in RECOMMENDED:
        assert getattr(made, name) == getattr(study, name), name
    assert made.loss == study.loss
    assert made.penalty == study.penalty


def test_fields_are_replaced_and_checked() -> None:
    assert recommended_trial(3, loss="energy").loss == "energy"
    with pytest.raises(StudyError, match="n_qubits"):
        recommended_trial(0)
    with pytest.raises(StudyError, match="anzatz"):
        recommended_trial(3, anzatz="style")
