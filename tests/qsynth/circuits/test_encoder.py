"""How inputs enter a circuit, and which combinations are refused."""

import pennylane as qp
import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.contract import check_ansatz
from qsynth.circuits.encoder import ENCODERS, Encoder
from qsynth.circuits.engine import EngineConfig, build
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.config import parse
from qsynth.data.gaussian import GaussianFamily
from qsynth.errors import QsynthError
from qsynth.population.measures import build_qnn
from qsynth.population.trial import TrialConfig
from qsynth.synthesizer import QGANSynthesizer

ROTATED = Ansatz(name="rotated", layer=lambda _index, _x, w, _n: qp.RX(w[0], wires=0), n_layer_weights=lambda _: 1)
INPUTS = torch.tensor([[0.4, 1.3]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("angle_x", torch.cos(INPUTS[:, 0] + 0.7)),
        ("angle_y", torch.cos(INPUTS[:, 0]) * 0.7648421872844885),  # cos 0.7: RX turns (sin x, 0, cos x) about x
        ("angle_z", torch.sin(INPUTS[:, 0]) * 0.644217687237691),  # sin 0.7: RX turns (cos x, sin x, 0) about x
    ],
)
def test_expectations_of_one_qubit(encoder: str, expected: torch.Tensor) -> None:
    engine = StatevectorEngine(ROTATED.encoded(encoder), 1, 1, torch.float64)
    weights, on = torch.full((1, 1), 0.7, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    torch.testing.assert_close(engine.expectations(INPUTS[:, :1], weights, on)[:, 0], expected)


def test_dense_angles_are_two_inputs_a_qubit() -> None:
    """<Z> = cos x_0 before, and after RX(t): cos t cos x_0 + sin t sin x_0 sin x_1."""
    dense = ROTATED.encoded("dense_angle")
    assert dense.n_inputs(3, 2) == 6
    engine = StatevectorEngine(dense, 1, 1, torch.float64)
    weights, on = torch.full((1, 1), 0.7, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    first, second = INPUTS[0]
    angle = torch.tensor(0.7, dtype=torch.float64)
    expected = torch.cos(angle) * torch.cos(first) + torch.sin(angle) * torch.sin(first) * torch.sin(second)
    torch.testing.assert_close(engine.expectations(INPUTS, weights, on)[0, 0], expected)
    torch.testing.assert_close(engine.expectations(INPUTS, weights, 0 * on)[0, 0], torch.cos(first))


def test_an_ansatz_uploads_the_chosen_encoder_again() -> None:
    """With all weights 0 and one qubit, the angles of two uploads add up."""
    engine = StatevectorEngine(ANSAETZE["data_reuploading"].encoded("angle_y"), 1, 2, torch.float64)
    zero, on = torch.zeros(2, 3, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    found = engine.expectations(INPUTS[:, :1], zero, on)
    torch.testing.assert_close(found, torch.cos(2 * INPUTS[:, :1]))


def test_n_inputs_comes_from_encoder_and_ansatz() -> None:
    found = {encoder: ANSAETZE["ry_rx_cnot"].encoded(encoder).n_inputs(3, 2) for encoder in set(ENCODERS) - {"none"}}
    assert found == {"angle_x": 3, "angle_y": 3, "angle_z": 3, "iqp": 3, "dense_angle": 6}
    assert ANSAETZE["style"].n_inputs(3, 2) == 12
    assert ANSAETZE["iqp"].encoder == "iqp"
    assert build(EngineConfig(), "ry_rx_cnot", 3, 2, encoder="dense_angle").n_inputs == 6


@pytest.mark.parametrize("qnn", [False, True])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ansatz": "style", "encoder": "angle_x"}, "encoder must be 'none' with ansatz 'style'.*; got 'angle_x'"),
        ({"ansatz": "iqp", "encoder": "none"}, "encoder must be one that takes inputs with ansatz 'iqp'; got 'none'"),
        ({"encoder": "angel_x"}, r"encoder must be a registered one; got 'angel_x'\. Did you mean 'angle_x'\?"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(values: dict[str, str], message: str, qnn: bool) -> None:
    settings, path = ({"qnn": values}, r"qnn\.") if qnn else (values, "")
    with pytest.raises(QsynthError, match=rf"\b{path}{message}") as caught:
        parse(TrialConfig, {"n_qubits": 2, **settings}, source="study")
    assert "\n" not in str(caught.value)


def test_generator_and_qnn_have_encoders_of_their_own() -> None:
    config = TrialConfig.model_validate({"n_qubits": 2, "encoder": "dense_angle", "qnn": {"encoder": "iqp"}})
    assert config.circuit().n_inputs == 4
    plain = TrialConfig(n_qubits=2)
    assert config.circuit().fingerprint != plain.circuit().fingerprint
    with_iqp, without = (build_qnn(each, 2, 2).model.circuit.fingerprint for each in (config, plain))
    assert with_iqp != without
    assert with_iqp == StatevectorEngine(ANSAETZE["strongly_entangling"].encoded("iqp"), 2, 2).fingerprint


def test_settings_from_before_there_were_encoders_mean_the_ansatz_s_own() -> None:
    old = TrialConfig(n_qubits=2, ansatz="iqp").model_dump(mode="json")
    del old["encoder"], old["qnn"]["encoder"]
    found = parse(TrialConfig, old, source="model")
    assert found.circuit().fingerprint == StatevectorEngine(ANSAETZE["iqp"], 2, 3).fingerprint
    assert found.circuit().fingerprint == found.replaced(encoder="iqp").circuit().fingerprint


def test_a_generator_learns_behind_any_encoder() -> None:
    sizes = {"latent_dim": 2, "n_layers": 1, "critic_width": 4, "batch_size": 4, "n_critic": 1}
    for encoder in ("angle_y", "angle_z", "dense_angle", "iqp"):
        config = TrialConfig.model_validate(
            {"n_qubits": 1, "encoder": encoder, "capacity": sizes, "defaults": sizes, "score": {"n_rows": 32}}
        )
        made = QGANSynthesizer(config, n_iterations=2, random_state=0).fit(GaussianFamily())
        assert made.sample(3, random_state=0).shape == (3, 2)


def test_an_encoder_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(inputs: torch.Tensor, n_qubits: int) -> None:
        for wire in range(n_qubits):
            qp.PhaseShift(inputs[wire] * inputs[n_qubits + wire], wires=wire)
            qp.RY(2 * inputs[wire] - 1, wires=wire)

    monkeypatch.setitem(ENCODERS._members, "own", Encoder("own", encode, lambda n: 2 * n))
    notes = check_ansatz(ANSAETZE["data_reuploading"], "own")
    # Nothing turns |0> about Z, but uploads after the first do.
    assert any("1 layer: no output depends on inputs 1" in note for note in notes)
    assert not any("2 layers: no output depends on inputs" in note for note in notes)
