"""A trial's settings as a whole."""

from typing import Any

import pytest

from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.trial import TrialConfig


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"ansatz": "ry_rx_cnott"},
            r"must be a registered ansatz; got 'ry_rx_cnott'\. Did you mean 'ry_rx_cnot'\?",
        ),
        ({"qnn": {"ansatz": "strongly"}}, r"qnn\.ansatz must be a registered ansatz; got 'strongly'"),
        ({"engine": {"name": "lightnin.qubit"}}, r"Did you mean 'lightning\.qubit'\?"),
        ({"engine": {"name": "statevector"}, "n_qubits": 17}, "n_qubits must be at most 16"),
        ({"n_qubits": 40}, "n_qubits must fit in memory; got 40"),
        ({"n_qubits": 1_000_000_000}, "n_qubits: input should be less than or equal to 100"),
        ({"n_qubits": 0}, "n_qubits: input should be greater than or equal to 1"),
        ({"engine": {"shots": 0}}, r"engine\.shots"),
        ({"readout": "zz"}, r"readout must be a registered one; got 'zz'\. Did you mean 'z'\?"),
        ({"readout": ["ZI", "IXX"]}, r"readout must be a name, or Pauli strings .* the 2 qubits .*; got 'IXX'"),
        ({"readout": 3}, r"readout.*should be a valid string; got 3"),
        (
            {"readout": ["ZI", "XY"], "engine": {"noise": {"readout": 0.1}}},
            r"engine\.noise\.readout must be 0 where Y is read; got 'XY'",
        ),
    ],
)
def test_impossible_trials_are_refused_in_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(QsynthError, match=message) as caught:
        parse(TrialConfig, {"n_qubits": 2, **values}, source="study")
    assert "\n" not in str(caught.value)


def test_a_readout_has_outputs_for_the_features() -> None:
    for readout, n_outputs in (("z", 3), ("zx", 6), ("probabilities", 8), (["ZZI", "IXX"], 2)):
        made = parse(TrialConfig, {"n_qubits": 3, "readout": readout}, source="study")
        assert made.circuit().n_outputs == n_outputs
        made.check_outputs(n_outputs)
        with pytest.raises(QsynthError, match=f"of which readout .* makes {n_outputs}"):
            made.check_outputs(n_outputs + 1)


def test_a_trial_survives_a_round_trip() -> None:
    values = {
        "n_qubits": 3,
        "readout": ["ZZI", "IXX"],
        "search_space": {"n_critic": {"kind": "int", "low": 1, "high": 4}},
    }
    made = parse(TrialConfig, values, source="study")
    assert parse(TrialConfig, made.model_dump(mode="json"), source="again") == made
