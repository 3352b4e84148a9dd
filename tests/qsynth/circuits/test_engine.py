"""Which engine a study gets, and which requests are refused before anything starts."""

import pytest

from qsynth.circuits import engine as engines
from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine, why_not
from qsynth.circuits.engine import EngineConfig, build, choose
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.spend import Spend
from qsynth.circuits.statevector import StatevectorEngine, human_bytes
from qsynth.errors import QsynthError


@pytest.mark.parametrize(
    ("settings", "n_qubits", "chosen"),
    [
        ({}, 1, "statevector"),
        ({}, 16, "statevector"),
        ({}, 17, "lightning.qubit"),
        ({"shots": 100}, 16, "statevector"),
        ({"shots": 100}, 17, "default.qubit"),
        ({"shots": 100, "differentiation": "parameter-shift"}, 2, "default.qubit"),
        ({"name": "statevector", "shots": 100}, 2, "statevector"),
        ({"name": "statevector"}, 16, "statevector"),
        ({"name": "lightning.qubit"}, 2, "lightning.qubit"),
        ({"name": "default.mixed", "shots": 10}, 2, "default.mixed"),
    ],
)
def test_choice(settings: dict[str, object], n_qubits: int, chosen: str) -> None:
    choice = choose(EngineConfig.model_validate(settings), n_qubits)
    assert choice.name == chosen
    assert choice.reason


def test_the_chosen_engine_is_built_with_its_settings() -> None:
    assert isinstance(build(EngineConfig(), "ry_rx_cnot", 2, 3), StatevectorEngine)
    made = build(EngineConfig(name="default.qubit", shots=7), "strongly_entangling", 2, 3)
    assert isinstance(made, PennyLaneEngine)
    assert (made.name, made.n_qubits, made.n_layers, made.n_layer_weights) == ("default.qubit", 2, 3, 6)
    assert made.options.shots == 7


def test_seventeen_qubits_are_too_many_for_the_statevector_engine() -> None:
    for attempt in (
        lambda: choose(EngineConfig(name="statevector"), 17),
        lambda: StatevectorEngine(ANSAETZE["ry_rx_cnot"], 17, 1),
    ):
        with pytest.raises(QsynthError, match=r"at most 16 .*; got 17, .* 2 MiB"):
            attempt()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"shots": 10},
        {"name": "statevector"},
        {"name": "lightning.qubit"},
        {"name": "default.qubit"},
        {"name": "default.qubit", "shots": 5},
    ],
)
def test_forty_qubits_are_refused_with_the_memory_that_they_take(settings: dict[str, object]) -> None:
    with pytest.raises(QsynthError, match=r"n_qubits must .*; got 40.*\b16 TiB") as caught:
        build(EngineConfig.model_validate(settings), "ry_rx_cnot", 40, 1)
    assert "\n" not in str(caught.value)


def test_memory_of_a_gradient() -> None:
    assert engines.gradient_bytes(10) == 16 * 1024 * 13
    assert [human_bytes(size) for size in (16, 16 * 1024, 3 * 2**40, 2**80)] == ["16 B", "16 KiB", "3 TiB", "1 YiB"]


def test_an_unknown_device_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(QsynthError, match=r"got 'lightnin\.qubit'\. Did you mean 'lightning\.qubit'\?"):
        choose(EngineConfig(name="lightnin.qubit"), 2)
    with pytest.raises(QsynthError, match=r"Did you mean 'statevector'\?"):
        choose(EngineConfig(name="statevektor"), 2)


def test_shots_reach_the_statevector_engine_and_the_reason() -> None:
    made = build(EngineConfig(shots=30), "ry_rx_cnot", 2, 1, ("ZI", "XX"))
    assert isinstance(made, StatevectorEngine)
    assert (made.shots, made.n_outputs, made.cost(1)) == (30, 2, Spend(2, 60))
    assert choose(EngineConfig(shots=30), 2).reason == "2 qubits, 30 shots: measured fastest up to 16 qubits"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shots": 2_000_000}, r"shots must be at most 1,048,576 on the statevector engine.*; got 2,000,000"),
        ({"shots": 9, "differentiation": "parameter-shift"}, r"differentiation must be 'best'.*got 'parameter-shift'"),
    ],
)
def test_shots_that_the_statevector_engine_can_not_draw_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(QsynthError, match=message) as caught:
        choose(EngineConfig.model_validate({"name": "statevector", **settings}), 2)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("device", "differentiation", "shots"),
    [("lightning.qubit", "backprop", None), ("default.qubit", "adjoint", 10), ("default.qubit", "backprop", 10)],
)
def test_differentiation_that_a_device_lacks_is_refused(device: str, differentiation: str, shots: int | None) -> None:
    config = EngineConfig.model_validate({"name": device, "differentiation": differentiation, "shots": shots})
    with pytest.raises(QsynthError, match=f"differentiation must be one that {device}.*got '{differentiation}'"):
        build(config, "ry_rx_cnot", 2, 1)


@pytest.mark.skipif(why_not("lightning.gpu", 1, DeviceOptions()) is None, reason="lightning.gpu works here")
def test_a_gpu_that_is_absent_is_an_error_or_a_fallback_with_a_reason() -> None:
    asked = EngineConfig(name="lightning.gpu", fallback=True)
    assert choose(asked, 2).name == "statevector"
    assert choose(asked, 2).reason.startswith("lightning.gpu can't be used here (")
    assert choose(asked, 17).name == choose(EngineConfig(), 17).name == "lightning.qubit"
    assert "lightning.gpu can't be used here (" in choose(EngineConfig(), 17).reason
    with pytest.raises(QsynthError, match=r"lightning\.gpu"):
        build(asked.replaced(fallback=False), "ry_rx_cnot", 2, 1)


@pytest.mark.parametrize("name", ["qiskit.remote", "braket.aws.qubit", "ionq.qpu", "lightning.gpu"])
def test_a_device_whose_plugin_is_absent_says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "has_device", lambda _: False)
    with pytest.raises(QsynthError, match=r"Install it with: pip install '\.\[[a-z]+\]'"):
        choose(EngineConfig(name=name), 2)


def test_circuits_that_leave_the_machine_need_not_fit_in_its_memory() -> None:
    config = EngineConfig(name="ionq.qpu")
    assert config.is_remote
    assert config.needs_qpu
    recorded = EngineConfig(name="qiskit.remote", backend="FakeBrisbane")
    assert not recorded.is_remote
    assert recorded.needs_qpu
    assert not EngineConfig(name="qiskit.aer").needs_qpu


def test_a_device_that_can_not_be_made_is_refused_in_one_line() -> None:
    with pytest.raises(QsynthError, match=r"engine 'no\.such' can't be used here: ") as caught:
        PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 2, 1, "no.such")
    assert "\n" not in str(caught.value)
