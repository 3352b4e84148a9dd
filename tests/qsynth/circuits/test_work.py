"""Circuits that are counted beforehand, against those that devices count."""

import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.contract import answer, problem
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.structure import script
from qsynth.circuits.work import Iteration, best_method, work_of
from qsynth.errors import QsynthError


@pytest.mark.parametrize("readout", ["z", "zx"])
@pytest.mark.parametrize(
    ("name", "encoder"),
    [*((name, None) for name in ANSAETZE), *(("data_reuploading", each) for each in ("angle_z", "dense_angle", "iqp"))],
)
def test_the_circuits_of_parameter_shift_are_those_that_a_device_executes(
    name: str, encoder: str | None, readout: str
) -> None:
    ansatz, batch = ANSAETZE[name].encoded(encoder), 2
    iteration = Iteration(fakes=0, batch=batch, method="parameter-shift", shots=10)
    work = work_of(script(ansatz, 2, 2, readout), iteration)
    engine = PennyLaneEngine(ansatz, 2, 2, "default.qubit", "parameter-shift", shots=10, readout=readout)
    answer(engine.expectations, problem(ansatz, 2, 2, readout, batch), torch.ones(2, dtype=torch.float64))
    # Outputs may be executed once more with the gradient.
    assert work.outputs + work.gradient <= engine.executions <= 2 * work.outputs + work.gradient
    assert work.shots == 10 * (work.outputs + work.gradient)


@pytest.mark.parametrize(("method", "gradient"), [("backprop", 3), ("adjoint", 3), ("spsa", 3 * 2 * 5)])
def test_work_of_other_gradients(method: str, gradient: int) -> None:
    tape = script(ANSAETZE["ry_rx_cnot"], 2, 1, "z")
    found = work_of(tape, Iteration(fakes=20, batch=3, method=method, shots=None, n_directions=5))
    assert (found.outputs, found.gradient, found.shots) == (23, gradient, None)


@pytest.mark.parametrize(
    ("device", "shots", "method"),
    [
        ("default.qubit", None, "backprop"),
        ("default.qubit", 10, "parameter-shift"),
        ("lightning.qubit", None, "adjoint"),
        ("default.mixed", None, "backprop"),
    ],
)
def test_the_method_that_pennylane_chooses(device: str, shots: int | None, method: str) -> None:
    assert best_method(device, 2, shots) == method


def test_a_device_that_can_not_be_made_is_refused_in_one_line() -> None:
    with pytest.raises(QsynthError, match=r"engine 'no\.such' can't be used here: ") as caught:
        best_method("no.such", 2, None)
    assert "\n" not in str(caught.value)
