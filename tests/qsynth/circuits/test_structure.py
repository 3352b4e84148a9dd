"""What a circuit's structure says, against circuits whose structure is known."""

import json
import math
from typing import Any

import pennylane as qp
import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.encoder import ENCODERS, Encoder
from qsynth.circuits.ledger import Work
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.circuits.structure import (
    MAX_QUBITS_SAMPLED,
    Dead,
    Start,
    Structure,
    by_layer,
    drawing,
    examine,
    without_effect,
)

WORK = Work(outputs=1, gradient=1, method="backprop", shots=20)


def open_chain(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    """The layer of Gunduz 2025 as it stands there."""
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    for wire in range(n_qubits - 1):
        qp.CNOT(wires=[wire, wire + 1])


OPEN = Ansatz(name="open", layer=open_chain, n_layer_weights=lambda n: 2 * n)


def anywhere(engine: StatevectorEngine) -> Start:
    """Noise and weights uniform in +-pi."""
    random = torch.Generator().manual_seed(7)
    inputs, weights = (
        2 * math.pi * torch.rand(shape, generator=random, dtype=torch.float64) - math.pi
        for shape in ((32, 64, engine.n_inputs), (32, engine.n_layers, engine.n_layer_weights))
    )
    return Start(inputs, weights, torch.ones(engine.n_layers))


def structure(
    ansatz: Ansatz, n_qubits: int, n_layers: int, n_used: int | None = None, shots: int | None = None
) -> Structure:
    return examine(ansatz, n_qubits, n_layers, "z", n_used or n_qubits, anywhere, WORK, shots)


@pytest.mark.parametrize(
    ("n_qubits", "n_layers", "n_used", "dead"),
    [
        (2, 1, 1, Dead((1,), ((0, 2), (0, 3)))),  # qubit 1 is not connected to <Z_0>
        # A second layer turns X_0 into Z_0, and X_0 was X_0 X_1 before the CNOT: only the RX on qubit 1 does nothing.
        (2, 2, 1, Dead((), ((0, 3), (1, 2), (1, 3)))),
        (2, 2, 2, Dead((), ())),
        (3, 1, 2, Dead((2,), ((0, 4), (0, 5)))),
    ],
)
def test_what_an_open_chain_leaves_without_effect(n_qubits: int, n_layers: int, n_used: int, dead: Dead) -> None:
    assert without_effect(StatevectorEngine(OPEN, n_qubits, n_layers, torch.float64), n_used) == dead


def test_warnings_name_what_is_without_effect() -> None:
    found = structure(OPEN, 2, 1, n_used=1)
    assert found.warnings == (
        "2 of 4 weights have no effect on the outputs used: layer 0: 2-3 (counted from 0)",
        "1 of 2 inputs have no effect on the outputs used: 1 (counted from 0)",
    )
    assert (found.n_outputs, found.n_used, found.n_weights, found.n_inputs) == (2, 1, 4, 2)
    assert structure(ANSAETZE["ry_rx_cnot"], 2, 2).warnings == ()


def test_weights_are_listed_in_ranges() -> None:
    assert by_layer([(1, 5), (2, 0), (2, 1), (2, 2), (2, 8)]) == "layer 1: 5; layer 2: 0-2, 8"


def test_range_and_sd_of_an_output_that_is_a_cosine() -> None:
    """One qubit without layers' effect: <Z> = cos x over x uniform in +-pi, of sd 1/sqrt(2)."""
    found = structure(Ansatz(name="idle", layer=lambda *_: None, n_layer_weights=lambda _: 0), 1, 1).outputs
    assert found is not None
    assert (found.low[0], found.high[0]) == (pytest.approx(-1, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert found.sd[0] == pytest.approx(2**-0.5, abs=0.03)
    assert found.spread[0] == pytest.approx(2**-0.5, abs=0.03)


def test_spread_falls_with_the_number_of_qubits() -> None:
    """About 2^(-n/2) for deep random circuits: exactly 1/sqrt(2^n + 1) for Haar-random states."""
    for n_qubits in (2, 4, 6):
        found = structure(ANSAETZE["data_reuploading"], n_qubits, 8).outputs
        assert found is not None
        for spread in found.spread:
            assert spread == pytest.approx((2**n_qubits + 1) ** -0.5, rel=0.2)


def test_little_spread_is_warned_of() -> None:
    def still(engine: StatevectorEngine) -> Start:
        start = anywhere(engine)
        return start._replace(inputs=0.02 * start.inputs + 1.5)

    ansatz = ANSAETZE["ry_rx_cnot"]
    found = examine(ansatz, 1, 1, "z", 1, lambda engine: still(engine)._replace(layer_mask=torch.zeros(1)), WORK, 100)
    assert found.outputs is not None
    spread = found.outputs.spread[0]
    assert spread == pytest.approx(0.02 * math.pi / math.sqrt(3) * math.sin(1.5), rel=0.05)
    few, shots = found.warnings
    assert few.startswith(f"outputs spread only {spread:.2g} over the noise before training")
    assert shots.endswith("less than 100 shots scatter them")


def test_outputs_that_never_change_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Encoder("first", lambda inputs, _: qp.RX(inputs[0], wires=0), lambda _: 1)
    monkeypatch.setitem(ENCODERS._members, "first", first)
    found = structure(Ansatz(name="idle", layer=lambda *_: None, n_layer_weights=lambda _: 0, encoder="first"), 2, 1)
    assert found.warnings == ("1 of 2 outputs never change: 1 (at 1)",)


def test_gates_and_depth() -> None:
    """RX on each qubit, then twice RY, RX and a ring of three CNOTs, one after the other."""
    found = structure(ANSAETZE["ry_rx_cnot"], 3, 2)
    assert found.gates == {"RX": 9, "RY": 6, "CNOT": 6}
    assert found.depth == 11


def test_the_largest_circuits_are_only_counted() -> None:
    found = structure(ANSAETZE["ry_rx_cnot"], MAX_QUBITS_SAMPLED + 1, 1)
    assert (found.dead, found.outputs, found.warnings) == (None, None, ())
    assert found.gates["CNOT"] == MAX_QUBITS_SAMPLED + 1
    assert json.loads(json.dumps(found.to_dict()))["dead"] is None


def test_a_structure_is_plain_data() -> None:
    plain = json.loads(json.dumps(structure(OPEN, 2, 1, n_used=1, shots=10).to_dict()))
    assert plain["dead"] == {"inputs": [1], "weights": [[0, 2], [0, 3]]}
    assert plain["work"] == {"outputs": 1, "gradient": 1, "method": "backprop", "shots": 20}
    assert set(plain["outputs"]) == {"low", "high", "sd", "spread"}
    assert plain["encoder"] == "angle_x"


def test_a_drawing_has_a_line_for_each_qubit_and_a_barrier_before_each_layer() -> None:
    lines = drawing(OPEN, 2, 3, "zx").splitlines()
    assert [line[:2] for line in lines[:2]] == ["0:", "1:"]
    assert lines[0].count("||") == 3
    assert lines[0].count("RY") == 3
    assert "<Z>" in lines[0]
