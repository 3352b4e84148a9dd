"""What a synthesizer may be asked for."""

import math
from collections.abc import Collection, Mapping
from typing import Any, SupportsIndex, get_args

from qsynth.errors import StudyError, did_you_mean
from qsynth.population.recommended import recommended_trial
from qsynth.population.snapshot import Keep
from qsynth.population.trial import TrialConfig
from qsynth.rng import checked_seed
from qsynth.synthesis.table_fit import METHODS, score_of_tables

MAX_ROWS = 10_000_000
N_QUBITS = 4  # of the circuit, when nobody says another


def default_config(n_qubits: int = N_QUBITS) -> TrialConfig:
    """The recipe that measured best, without a critic and without a QNN in its score, for any table."""
    return recommended_trial(n_qubits, loss="energy", score=score_of_tables())


def check_count(name: str, value: object, most: float = math.inf) -> None:
    """Refuse what is no number of things.

    Raises:
        StudyError: it is not a whole number, below 1, or above ``most``.
    """
    if not isinstance(value, SupportsIndex) or not 1 <= value <= most:  # type: ignore[operator]
        limits = f"in 1..{most:,}" if most < math.inf else "at least 1"
        raise StudyError(f"{name} must be {limits}; got {value!r}")


def check_choice(name: str, value: object, known: Collection[str]) -> None:
    """Refuse what is none of a few names.

    Raises:
        StudyError: it is none.
    """
    if not isinstance(value, str) or value not in known:
        raise StudyError(f"{name} must be {' or '.join(known)}; got {value!r}.{did_you_mean(str(value), known)}")


def check_fit(settings: Mapping[str, Any], on_evaluation: object) -> None:
    """Find out what is wrong with a synthesizer's parameters before any work.

    Raises:
        StudyError: a number or a choice that is none of those allowed, or no function to tell of evaluations.
    """
    for name in ("n_iterations", "evaluate_every"):
        check_count(name, settings[name])
    check_choice("keep", settings["keep"], get_args(Keep))
    check_choice("method", settings["method"], METHODS)
    if not callable(on_evaluation):
        raise StudyError(f"on_evaluation must be a function; got {on_evaluation!r}")
    if settings["random_state"] is not None:
        checked_seed(settings["random_state"])


def check_config(config: object) -> None:
    """Refuse what is no trial's config.

    Raises:
        StudyError: something else.
    """
    if config is not None and not isinstance(config, TrialConfig):
        raise StudyError(f"config must be a TrialConfig such as TrialConfig(n_qubits=4); got {config!r}")
