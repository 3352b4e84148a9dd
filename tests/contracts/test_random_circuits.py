"""Random circuits of all gates that the statevector engine reads, against PennyLane's simulators."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.readout import PauliWords
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.errors import QsynthError

N_INPUTS, N_WEIGHTS, N_LAYERS, BATCH = 2, 4, 2, 2

# Name -> wires and angles; None stands for any number of wires.
GATES: dict[str, tuple[int | None, int]] = {
    **dict.fromkeys(("Hadamard", "X", "Y", "Z", "S", "T", "SX"), (1, 0)),
    **dict.fromkeys(("CNOT", "CZ", "CY", "CH", "SWAP", "ISWAP", "SISWAP", "ECR"), (2, 0)),
    **dict.fromkeys(("Toffoli", "CCZ", "CSWAP"), (3, 0)),
    **dict.fromkeys(("RX", "RY", "RZ", "PhaseShift", "U1"), (1, 1)),
    **{"U2": (1, 2), "U3": (1, 3), "Rot": (1, 3), "CRot": (2, 3)},
    **dict.fromkeys(("CRX", "CRY", "CRZ", "ControlledPhaseShift", "CPhaseShift00", "PSWAP"), (2, 1)),
    **dict.fromkeys(("IsingXX", "IsingYY", "IsingZZ", "IsingXY", "SingleExcitation", "FermionicSWAP"), (2, 1)),
    **{"DoubleExcitation": (4, 1), "MultiRZ": (None, 1), "PauliRot": (None, 1)},
    **{"QFT": (None, 0), "MultiControlledX": (None, 0), "GroverOperator": (None, 0)},
    **dict.fromkeys(("BasicEntanglerLayers", "IQPEmbedding", "StronglyEntanglingLayers"), (None, 3)),
}
# Name -> wires -> shape of the weights, which are the gate's angles again and again.
TEMPLATES: dict[str, Callable[[int], tuple[int, ...]]] = {
    "BasicEntanglerLayers": lambda n: (1, n),
    "IQPEmbedding": lambda n: (n,),
    "StronglyEntanglingLayers": lambda n: (1, n, 3),
}


@dataclass(frozen=True)
class Angle:
    """``offset + of_input * inputs[i] + of_weight * weights[j] + of_product * inputs[i] * weights[j]``."""

    i: int
    j: int
    offset: float
    of_input: float
    of_weight: float
    of_product: float

    def __call__(self, inputs: Any, weights: Any) -> Any:
        x, w = inputs[self.i], weights[self.j]
        return self.offset + self.of_input * x + self.of_weight * w + self.of_product * x * w


@dataclass(frozen=True)
class Gate:
    """One gate, or its adjoint, or one that is controlled by further wires."""

    name: str
    wires: tuple[int, ...]
    angles: tuple[Angle, ...] = ()
    word: str = ""
    adjoint: bool = False
    controls: tuple[int, ...] = ()
    control_values: tuple[int, ...] = ()

    def __call__(self, inputs: Any, weights: Any) -> None:
        angles: list[Any] = [angle(inputs, weights) for angle in self.angles]
        if self.name == "PauliRot":
            angles.append(self.word)
        elif self.name in TEMPLATES:
            n = int(np.prod(TEMPLATES[self.name](len(self.wires))))
            numbers = [torch.as_tensor(angles[k % len(angles)], dtype=torch.float64) for k in range(n)]
            angles = [torch.stack(numbers).reshape(TEMPLATES[self.name](len(self.wires)))]
        operation = getattr(qp, self.name)(*angles, wires=list(self.wires))
        if self.adjoint:
            operation = qp.adjoint(operation)
        if self.controls:
            qp.ctrl(operation, control=list(self.controls), control_values=list(self.control_values))


@dataclass(frozen=True)
class Whole(Ansatz):
    """An ansatz whose inputs may be anywhere, behind an encoder of its own."""

    before: Callable[[Any, int], None] = lambda *_: None

    def n_inputs(self, n_qubits: int, n_layers: int) -> int:
        return N_INPUTS

    def embed(self, inputs: Any, n_qubits: int) -> None:
        self.before(inputs, n_qubits)


@dataclass(frozen=True)
class Circuit:
    """Gates before the layers, and those of each layer, with what is measured."""

    n_qubits: int
    embedding: tuple[Gate, ...]
    layer: tuple[Gate, ...]
    words: PauliWords

    def ansatz(self) -> Ansatz:
        def embed(inputs: Any, _n_qubits: int) -> None:
            nothing = [0.0] * N_WEIGHTS
            for gate in self.embedding:
                gate(inputs, nothing)

        def layer(index: int, inputs: Any, weights: Any, _n_qubits: int) -> None:
            for gate in self.layer[index:]:
                gate(inputs, weights)

        return Whole(name="random", layer=layer, n_layer_weights=lambda _: N_WEIGHTS, before=embed)


SIZE = st.floats(-1.5, 1.5, width=16)
ANGLES = st.builds(
    Angle,
    st.integers(0, N_INPUTS - 1),
    st.integers(0, N_WEIGHTS - 1),
    st.one_of(st.just(0.0), SIZE),
    st.one_of(st.just(0.0), SIZE),
    st.one_of(st.just(0.0), SIZE),
    st.sampled_from([*[0.0] * 9, 0.5]),
)


def _linear(angle: Angle, name: str) -> Angle:
    """Without the product, for a template that takes products of its angles, which may have two factors at most."""
    return replace(angle, of_product=0.0) if name == "IQPEmbedding" else angle


@st.composite
def gates(draw: st.DrawFn, n_qubits: int) -> Gate:
    """Of at most four wires, controls included, so that decompositions stay short."""
    needs = {"MultiControlledX": 2, "GroverOperator": 2}
    fitting = [name for name, (n_wires, _) in GATES.items() if (n_wires or needs.get(name, 1)) <= n_qubits]
    name = draw(st.sampled_from(fitting))
    n_wires, n_angles = GATES[name]
    if n_wires is None:
        n_wires = draw(st.integers(needs.get(name, 1), min(n_qubits, 4)))
    order = draw(st.permutations(range(n_qubits)))
    wires, free = tuple(order[:n_wires]), order[n_wires:4]
    n_controls = draw(st.sampled_from([0, 0, 0, 0, 1, 2])) if GATES[name][0] else 0
    if name in ("U2", "U3"):  # PennyLane decomposes them by their values where there are more controls
        n_controls = min(n_controls, 1)
    controls = tuple(free[:n_controls])
    turned = draw(st.booleans()) and not (name in ("U2", "U3") and controls)  # see NOT_READ
    return Gate(
        name,
        wires,
        tuple(_linear(draw(ANGLES), name) for _ in range(n_angles)),
        draw(st.text("IXYZ", min_size=n_wires, max_size=n_wires)) if name == "PauliRot" else "",
        turned,
        controls,
        tuple(draw(st.integers(0, 1)) for _ in controls),
    )


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    n_qubits = draw(st.integers(1, 5))
    words = st.text("IXYZ", min_size=n_qubits, max_size=n_qubits).filter(lambda word: set(word) != {"I"})
    return Circuit(
        n_qubits,
        tuple(draw(st.lists(gates(n_qubits), max_size=3))),
        tuple(draw(st.lists(gates(n_qubits), min_size=1, max_size=7))),
        tuple(draw(st.lists(words, min_size=1, max_size=4))),
    )


def problem(circuit: Circuit, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs, weights, mask, and what multiplies the outputs in the loss whose gradient is compared."""
    random = torch.Generator().manual_seed(seed)
    inputs = torch.randn(BATCH, N_INPUTS, generator=random, dtype=torch.float64)
    weights = torch.randn(N_LAYERS, N_WEIGHTS, generator=random, dtype=torch.float64)
    mask = torch.tensor([1.0, float(seed % 4 > 0)], dtype=torch.float64)
    return inputs, weights, mask, torch.randn(BATCH, len(circuit.words), generator=random, dtype=torch.float64)


def with_gradients(
    values: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, weights: Tensor, factor: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    inputs, weights = inputs.detach().requires_grad_(), weights.detach().requires_grad_()
    found = values(inputs, weights)
    zero = 0 * (inputs.sum() + weights.sum())  # so that both take part even where no angle does
    d_inputs, d_weights = torch.autograd.grad((factor * found).sum() + zero, (inputs, weights))
    return found.detach(), d_inputs, d_weights


def reference(circuit: Circuit, inputs: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """Batch x words from a QNode that is written out here, differentiable."""

    @qp.qnode(qp.device("default.qubit", wires=circuit.n_qubits), interface="torch", diff_method="backprop")
    def node(row: Tensor) -> Any:
        for gate in circuit.embedding:
            gate(row, [0.0] * N_WEIGHTS)
        for index in range(N_LAYERS):
            for gate in circuit.layer[index:] if mask[index] else ():
                gate(row, weights[index])
        return [qp.expval(qp.pauli.string_to_pauli_word(word)) for word in circuit.words]

    return torch.stack([torch.stack(list(node(row))) for row in inputs]).double()


def check(circuit: Circuit, seed: int, dtype: torch.dtype, tolerance: float, device: str = "") -> None:
    inputs, weights, mask, factor = problem(circuit, seed)
    wanted = with_gradients(lambda x, w: reference(circuit, x, w, mask), inputs, weights, factor)
    engine: StatevectorEngine | PennyLaneEngine
    if device:
        adjoint = DeviceOptions(differentiation="adjoint")
        engine = PennyLaneEngine(circuit.ansatz(), circuit.n_qubits, N_LAYERS, device, adjoint, circuit.words)
    else:
        engine = StatevectorEngine(circuit.ansatz(), circuit.n_qubits, N_LAYERS, dtype, circuit.words)
    found = with_gradients(
        lambda x, w: engine.expectations(x, w, mask.to(dtype)), *(part.to(dtype) for part in (inputs, weights, factor))
    )
    for name, one, other in zip(("values", "d_inputs", "d_weights"), found, wanted, strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one.double(), other, rtol=0, atol=tolerance, msg=lambda text, n=name: f"{n}: {text}")


def cases(n: int) -> Any:
    """Settings without shrinking, which takes minutes here."""
    return settings(
        max_examples=n,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )


@cases(80)
@given(circuit=circuits(), seed=st.integers(0, 2**31))
def test_in_double_precision(circuit: Circuit, seed: int) -> None:
    check(circuit, seed, torch.float64, 1e-10)


@cases(30)
@given(circuit=circuits(), seed=st.integers(0, 2**31))
def test_in_single_precision(circuit: Circuit, seed: int) -> None:
    check(circuit, seed, torch.float32, 1e-5)


@cases(15)
@given(circuit=circuits(), seed=st.integers(0, 2**31))
def test_on_lightning_with_adjoint_gradients(circuit: Circuit, seed: int) -> None:
    """PennyLane hands its values on in single precision."""
    check(circuit, seed, torch.float64, 1e-6, "lightning.qubit")


@pytest.mark.parametrize("name", sorted(GATES))
@pytest.mark.parametrize("controlled", [False, True])
def test_every_gate_once(name: str, controlled: bool) -> None:
    """Whatever the random circuits happened to hold."""
    n_wires, n_angles = GATES[name]
    wires = (2, 0, 3, 1)[: n_wires or 3]
    angles = tuple(_linear(Angle(k % 2, k, 0.2, 0.7, 1.1, 0.5), name) for k in range(n_angles))
    control = ((4,), (1,)) if controlled else ((), ())
    start = tuple(Gate("RY", (wire,), (Angle(wire % 2, 0, 0.3 + wire, 0.9, 0, 0),)) for wire in range(5))
    turn = tuple(Gate("RX", (wire,), (Angle(0, wire % 4, 0.4, 0, 1.2, 0),)) for wire in range(5))
    layer = (*turn, Gate(name, wires, angles, "XYZ" if name == "PauliRot" else "", not controlled, *control), *turn)
    words = ("ZIIII", "IXIII", "IIYII", "IIIZX", "YZXII")
    check(Circuit(5, start, layer, words), 1, torch.float64, 1e-10)


NOT_READ: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "no gate": (lambda x, w: qp.measure(0), "MidMeasure"),
    "channel": (lambda x, w: qp.DepolarizingChannel(0.1, wires=0), "DepolarizingChannel"),
    "condition": (lambda x, w: qp.cond(qp.measure(0), qp.X)(1), "Conditional"),
    "power": (lambda x, w: qp.pow(qp.X(0), 0.3), r"PauliX\*\*0\.3"),
    "evolution": (lambda x, w: qp.evolve(qp.X(0) @ qp.Z(1), w[0]), "Evolution"),
    "other gates for other values": (lambda x, w: qp.RX(w[0], wires=int(w[0] > 0.7)), "others for RX"),
    "absolute value": (lambda x, w: qp.RX(x[0].abs(), wires=0), "second degree.*got another one in RX on wires 0"),
    "state": (lambda x, w: qp.AmplitudeEmbedding(torch.cat([x, w[:2]]), wires=[0, 1], normalize=True), "Amplitude"),
    "sine": (lambda x, w: qp.CRY(torch.sin(x[0]), wires=[0, 1]), "second degree.*got another one in RY on wires 1"),
    # PennyLane takes the adjoint's angles modulo 2 pi, then half of them.
    "half of a remainder": (
        lambda x, w: qp.ctrl(qp.adjoint(qp.U3(x[0], w[0], w[1], wires=0)), control=1),
        "second degree.*got another one in RZ",
    ),
    "matrix": (
        lambda x, w: qp.QubitUnitary(qp.RX.compute_matrix(w[0]), wires=0),
        "(second degree|others for QubitUnitary)",
    ),
}


@pytest.mark.parametrize("case", NOT_READ)
def test_what_can_not_be_read_is_refused_by_name_in_one_line(case: str) -> None:
    gate, name = NOT_READ[case]
    ansatz = Whole(name="own", layer=lambda _i, x, w, _n: gate(x, w), n_layer_weights=lambda _: N_WEIGHTS)
    with pytest.raises(QsynthError, match=f"a template for the statevector engine must .*{name}") as caught:
        StatevectorEngine(ansatz, 2, 1)
    assert "\n" not in str(caught.value)
