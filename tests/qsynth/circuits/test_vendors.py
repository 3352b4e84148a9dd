"""Vendors' plugins: how they are told which machine to use, and that their simulators agree with ours."""

import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine, has_device
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.spend import Spend
from qsynth.circuits.vendors import plugin_arguments
from qsynth.errors import QsynthError

# Their own imports and calls warn of what is deprecated in others.
pytestmark = [pytest.mark.filterwarnings("ignore")]
INPUTS = torch.tensor([[0.3, 1.9], [-0.8, 0.4]], dtype=torch.float64)
WEIGHTS = torch.tensor([[0.2, -0.4, 1.1, 0.7]], dtype=torch.float64)
ON = torch.ones(1, dtype=torch.float64)


def engine(device: str, **options: object) -> PennyLaneEngine:
    if not has_device(device):
        pytest.skip(f"{device} is not installed")
    return PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 2, 1, device, DeviceOptions.model_validate(options))


@pytest.mark.parametrize(
    "device",
    ["qiskit.aer", "qiskit.basicsim", "braket.local.qubit", "qiskit.remote/FakeManilaV2", "qiskit.aer/FakeManilaV2"],
)
def test_simulators_scatter_around_the_circuit(device: str) -> None:
    """Recorded processors err as well, by up to some hundredths on two qubits."""
    name, _, backend = device.partition("/")
    made = engine(name, shots=4000, backend=backend or None)
    exact = engine("default.qubit").expectations(INPUTS, WEIGHTS, ON)
    found = made.expectations(INPUTS, WEIGHTS, ON)
    bound = 5 * ((1 - exact**2) / 4000).sqrt() + (0.15 if backend else 1e-6)
    assert ((found - exact).abs() < bound).all()
    assert made.ledger.spent == made.cost(2) == Spend(2, 8000)


def test_a_recorded_processor_shrinks_expectations_and_its_simulator_repeats() -> None:
    shots = 40_000
    noisy = [engine("qiskit.aer", shots=shots, backend="FakeManilaV2").expectations(INPUTS, WEIGHTS, ON) for _ in "ab"]
    assert torch.equal(*noisy)
    exact = engine("default.qubit").expectations(INPUTS, WEIGHTS, ON)
    assert noisy[0].abs().sum() < exact.abs().sum() - 5 * 2 / shots**0.5


def test_a_gradient_on_a_recorded_processor_points_the_right_way() -> None:
    def slope(made: PennyLaneEngine) -> torch.Tensor:
        return torch.func.grad(lambda w: made.expectations(INPUTS[:1], w, ON).sum())(WEIGHTS).flatten()

    exact = slope(engine("default.qubit"))
    found = slope(engine("qiskit.aer", shots=2000, backend="FakeManilaV2"))
    assert torch.cosine_similarity(found, exact, dim=0) > 0.9


@pytest.mark.parametrize(
    ("device", "options", "message"),
    [
        ("qiskit.remote", {}, r"engine\.backend must name a processor on qiskit\.remote"),
        ("default.qubit", {"backend": "x"}, r"engine\.backend must be left out on default\.qubit; got 'x'"),
        ("qiskit.aer", {"account": "x"}, r"engine\.account must be left out on qiskit\.aer; got 'x'"),
        ("ionq.qpu", {}, "IONQ_API_KEY"),
    ],
)
def test_what_a_plugin_can_not_use_is_refused(
    device: str, options: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IONQ_API_KEY", raising=False)
    with pytest.raises(QsynthError, match=message):
        plugin_arguments(device, options.get("backend"), options.get("account"))


def test_vendors_names_reach_their_own_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IONQ_API_KEY", "x")
    assert plugin_arguments("ionq.qpu", "aria-1", None) == {"backend": "aria-1"}
    assert plugin_arguments("ionq.simulator", "aria-1", None) == {"noise_model": "aria-1"}
    assert plugin_arguments("braket.aws.qubit", "arn:x", None) == {"device_arn": "arn:x"}
    assert plugin_arguments("lightning.qubit", None, None) == {}


def test_an_unknown_or_too_small_recorded_processor_is_refused() -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    with pytest.raises(QsynthError, match=r"recorded processor; got 'FakeManila9'\. Did you mean 'FakeManilaV2'\?"):
        plugin_arguments("qiskit.aer", "FakeManila9", None)
    options = DeviceOptions(backend="FakeManilaV2", shots=10)
    with pytest.raises(QsynthError, match="n_qubits must be at most the 5 of FakeManilaV2; got 6"):
        PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 6, 1, "qiskit.remote", options)


def test_a_machine_without_credentials_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("QISKIT_IBM_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(QsynthError, match=r"engine 'qiskit\.remote' can't be used here: .*account") as caught:
        engine("qiskit.remote", backend="ibm_torino", shots=10)
    assert "\n" not in str(caught.value)
