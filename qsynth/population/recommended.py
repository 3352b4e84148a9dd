"""The settings of a trial that measured best."""

from typing import Any

from qsynth.config import parse
from qsynth.population.trial import TrialConfig

SIZES = {"latent_dim": 4, "n_layers": 3, "critic_width": 32, "batch_size": 64, "n_critic": 1}
RATES = {"lr_generator": 0.03, "lr_critic": 0.005, "gp_weight": 1.0, "beta1": 0.5, "weight_average": 0.98}
RECOMMENDED: dict[str, Any] = {
    "ansatz": "strongly_entangling",
    "engine": {"shots": 64},
    "capacity": SIZES,
    "defaults": {**SIZES, **RATES, "fidelity_weight": 30.0, "shots": 24.0},
}


def recommended_trial(n_qubits: int, **changes: Any) -> TrialConfig:
    """The recipe of the bundled tables: a critic beside an energy distance, circuits of 24 shots, averaged weights.

    It was chosen on training instances of the bundled tables, four columns on four qubits, some 200 GAN iterations.

    Args:
        changes: whole fields of a :class:`TrialConfig`, in place of the recipe's.

    Raises:
        StudyError: such settings do not exist.
    """
    return parse(TrialConfig, {**RECOMMENDED, "n_qubits": n_qubits, **changes}, source="recommended_trial")
