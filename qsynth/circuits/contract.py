"""What every ansatz, encoder and engine must hold to, to be run on one's own before anything is trained with it.

The measure is PennyLane's default.qubit, differentiated by backpropagation, one row and one trial at a time.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pennylane as qp
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.circuit import Circuit
from qsynth.circuits.readout import PauliWords, find_readout
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.circuits.structure import by_layer, without_effect
from qsynth.errors import CircuitError

# (inputs, weights, layer mask) -> outputs, as of an engine's ``expectations``.
Expectations = Callable[[Tensor, Tensor, Tensor], Tensor]
EngineFactory = Callable[[Ansatz, int, int], Circuit]
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
FOR_ENGINES = ("ry_rx_cnot", "data_reuploading", "style")
STANDARD_ERRORS = 5.0


class ContractCase(NamedTuple):
    """Random angles in +-pi, and what multiplies the outputs in the loss whose gradient is compared.

    Attributes:
        inputs: batch x inputs.
        weights: layers x weights per layer.
        factor: batch x outputs.
    """

    inputs: Tensor
    weights: Tensor
    factor: Tensor

    def to(self, dtype: torch.dtype) -> "ContractCase":
        """The same in another precision."""
        return ContractCase(*(part.to(dtype) for part in self))


class Answer(NamedTuple):
    """Outputs (batch x outputs) and the loss's gradients, of the shapes of inputs and weights."""

    outputs: Tensor
    d_inputs: Tensor
    d_weights: Tensor


def problem(
    ansatz: Ansatz, n_qubits: int, n_layers: int, readout: str | PauliWords = "z", batch: int = 2, seed: int = 0
) -> ContractCase:
    """A problem in double precision."""
    random = torch.Generator().manual_seed(seed)

    def angles(*shape: int) -> Tensor:
        return 2 * torch.pi * torch.rand(*shape, generator=random, dtype=torch.float64) - torch.pi

    inputs = angles(batch, ansatz.n_inputs(n_qubits, n_layers))
    weights = angles(n_layers, ansatz.n_layer_weights(n_qubits))
    n_outputs = find_readout(readout, n_qubits).n_outputs(n_qubits)
    return ContractCase(inputs, weights, torch.randn(batch, n_outputs, generator=random, dtype=torch.float64))


def masks(n_layers: int) -> list[Tensor]:
    """All layers on, all off, the last one off, the first one off."""
    ends: list[Sequence[int]] = [range(n_layers), (), range(n_layers - 1), range(1, n_layers)]
    chosen = dict.fromkeys(tuple(float(index in on) for index in range(n_layers)) for on in ends)
    return [torch.tensor(mask, dtype=torch.float64) for mask in chosen]


def reference(ansatz: Ansatz, n_qubits: int, readout: str | PauliWords = "z") -> Expectations:
    """The circuit on default.qubit, differentiable by torch autograd; it takes no lanes."""

    measured = find_readout(readout, n_qubits)

    def circuit(row: Tensor, weights: Tensor, mask: Tensor) -> Any:
        ansatz.embed(row, n_qubits)
        for index, on in enumerate(mask.tolist()):
            if on:
                ansatz.apply(index, row, weights[index], n_qubits)
        return measured.measurements(n_qubits)

    node = qp.QNode(circuit, qp.device("default.qubit", wires=n_qubits), interface="torch", diff_method="backprop")

    def expectations(inputs: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
        return torch.stack([measured.outputs(node(row, weights, mask)) for row in inputs])

    return expectations


def answer(expectations: Expectations, asked: ContractCase, mask: Tensor) -> Answer:
    """What ``expectations`` says to a problem."""
    inputs, weights = (part.detach().requires_grad_() for part in asked[:2])
    outputs = expectations(inputs, weights, mask)
    loss = (asked.factor * outputs).sum() + 0 * (inputs.sum() + weights.sum())  # both take part even with layers off
    return Answer(outputs.detach(), *torch.autograd.grad(loss, (inputs, weights)))


def answer_in_lanes(expectations: Expectations, asked: ContractCase, mask: Tensor) -> Answer:
    """The same for problems and masks with a leading axis of lanes, under ``torch.func.vmap`` and ``grad``."""

    def loss(inputs: Tensor, weights: Tensor, factor: Tensor, on: Tensor) -> tuple[Tensor, Tensor]:
        outputs = expectations(inputs, weights, on)
        return (factor * outputs).sum(), outputs

    gradients, outputs = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1), has_aux=True))(*asked, mask)
    return Answer(outputs, *gradients)


def disagreement(found: Answer, wanted: Answer, tolerance: float) -> str | None:
    """What differs by more than ``tolerance``, in words, or None."""
    names = "outputs", "gradients by inputs", "gradients by weights"
    for name, one, other in zip(names, found, wanted, strict=True):
        if one.shape != other.shape:
            return f"{name} must have the shape {tuple(other.shape)}; got {tuple(one.shape)}"
        off = (one.double() - other).abs()
        if not (off <= tolerance).all():
            worst = torch.unravel_index(off.nan_to_num(torch.inf).argmax(), off.shape)
            where = ", ".join(str(int(index)) for index in worst)
            return f"{name} must be default.qubit's within {tolerance:g}; [{where}] is off by {float(off[worst]):.3g}"
    return None


def beyond_chance(found: Tensor, wanted: Tensor, shots: int) -> str | None:
    """What estimates of Pauli strings from ``shots`` can't be by chance, in words, or None.

    They may be five standard errors off, and two shots more, as errors of rare results are not normal.
    """
    allowed = STANDARD_ERRORS * ((1 - wanted**2).clamp(min=0) / shots).sqrt() + 4 / shots
    off = (found.double() - wanted).abs()
    if (off <= allowed).all():
        return None
    worst = (off / allowed).nan_to_num(torch.inf).argmax()
    return (
        f"outputs of {shots} shots must be default.qubit's within {STANDARD_ERRORS:g} standard errors; "
        f"got {float(found.flatten()[worst]):.4g} for {float(wanted.flatten()[worst]):.4g}"
    )


def check_ansatz(
    ansatz: Ansatz,
    encoder: str | None = None,
    n_qubits: Sequence[int] = (1, 2, 3),
    n_layers: Sequence[int] = (1, 2),
    readout: str | PauliWords = "z",
) -> list[str]:
    """Hold an ansatz, behind its own or another registered encoder, to the contract on the statevector engine.

    Outputs, and gradients by inputs and weights, are those of default.qubit to 1e-10 in double and 1e-5 in single
    precision, for all layers and with layers off; lanes under ``torch.func.vmap`` are what each is alone.

    Returns:
        Notes, a line each: weights and inputs that no output depends on. They do no harm, but learn nothing.

    Raises:
        QsynthError: the first violation.
    """
    ansatz = ansatz.encoded(encoder)
    notes = []
    for size in itertools.product(n_qubits, n_layers):
        what = f"ansatz {ansatz.name!r} with encoder {ansatz.encoder!r} on {_sizes(*size)}"
        with _executing(what):
            tasks = _tasks(ansatz, *size, readout)
            engines = {dtype: StatevectorEngine(ansatz, *size, dtype, readout) for dtype in TOLERANCE}
        for dtype, engine in engines.items():
            _check_tasks(f"{what} in {str(dtype).removeprefix('torch.')}", engine, tasks, dtype, None)
        dead = without_effect(engines[torch.float64], engines[torch.float64].n_outputs)
        idle = [f"inputs {', '.join(map(str, dead.inputs))}"] if dead.inputs else []
        idle += [f"weights of {by_layer(dead.weights)}"] if dead.weights else []
        if idle:
            notes.append(f"{what}: no output depends on {', nor on '.join(idle)} (counted from 0)")
    return notes


def check_engine(
    make: EngineFactory,
    ansaetze: Iterable[Ansatz] | None = None,
    n_qubits: Sequence[int] = (1, 2, 3),
    n_layers: Sequence[int] = (1, 2),
    dtype: torch.dtype = torch.float32,
    shots: int | None = None,
) -> None:
    """Hold an engine to the contract: the outputs <Z_0>, <Z_1>, ... of noiseless circuits.

    Outputs and gradients are those of default.qubit to 1e-10 in double and 1e-5 in single precision, for all layers
    and with layers off, alone and in lanes under ``torch.func.vmap``. With finite ``shots`` the outputs are, within
    five standard errors, and gradients are not compared.

    Args:
        make: makes the engine of an ansatz for ``(ansatz, n_qubits, n_layers)``.
        ansaetze: left out: three, with inputs at the beginning, in every layer and in every angle.
        dtype: of the tensors that it is given.
        shots: that it takes for a circuit, None where it is exact.

    Raises:
        QsynthError: the first violation.
    """
    for ansatz in ansaetze or [ANSAETZE[name] for name in FOR_ENGINES]:
        for size in itertools.product(n_qubits, n_layers):
            engine = make(ansatz, *size)
            name = getattr(engine, "name", type(engine).__name__)
            what = f"engine {name!r} with ansatz {ansatz.name!r} on {_sizes(*size)}"
            _check_attributes(what, engine, ansatz, *size)
            if ansatz.encoder == "angle_x":
                _check_qubit_order(what, engine, dtype)
            _check_tasks(what, engine, _tasks(ansatz, *size, "z"), dtype, shots)


class _Task(NamedTuple):
    asked: ContractCase
    mask: Tensor
    wanted: Answer


def _tasks(ansatz: Ansatz, n_qubits: int, n_layers: int, readout: str | PauliWords) -> list[_Task]:
    """A problem of its own for each mask."""
    exact, tasks = reference(ansatz, n_qubits, readout), []
    for seed, mask in enumerate(masks(n_layers)):
        asked = problem(ansatz, n_qubits, n_layers, readout, seed=seed)
        tasks.append(_Task(asked, mask, answer(exact, asked, mask)))
    return tasks


def _check_tasks(what: str, engine: Circuit, tasks: list[_Task], dtype: torch.dtype, shots: int | None) -> None:
    """One task at a time, then each as a lane."""
    tolerance = TOLERANCE[dtype]
    for asked, mask, wanted in tasks:
        where = f"{what}, layers {[index for index, on in enumerate(mask.tolist()) if on]} on"
        given, on = asked.to(dtype), mask.to(dtype)
        outputs = engine.expectations(given.inputs, given.weights, on)
        if outputs.dtype != dtype:
            raise CircuitError(f"{where}: outputs must be of the inputs' {dtype}; got {outputs.dtype}")
        if shots is None:
            _refuse(where, disagreement(answer(engine.expectations, given, on), wanted, tolerance))
        else:
            _refuse(where, beyond_chance(outputs, wanted.outputs, shots))
    where = f"{what}, lanes under vmap"
    lanes = ContractCase(*(torch.stack(parts) for parts in zip(*(task.asked.to(dtype) for task in tasks), strict=True)))
    on = torch.stack([task.mask.to(dtype) for task in tasks])
    wanted = Answer(*(torch.stack(parts) for parts in zip(*(task.wanted for task in tasks), strict=True)))
    if shots is None:
        _refuse(where, disagreement(answer_in_lanes(engine.expectations, lanes, on), wanted, tolerance))
    else:
        outputs = torch.func.vmap(engine.expectations)(lanes.inputs, lanes.weights, on)
        _refuse(where, beyond_chance(outputs, wanted.outputs, shots))


def _check_attributes(what: str, engine: Circuit, ansatz: Ansatz, n_qubits: int, n_layers: int) -> None:
    wanted = {
        "n_qubits": n_qubits,
        "n_layers": n_layers,
        "n_inputs": ansatz.n_inputs(n_qubits, n_layers),
        "n_layer_weights": ansatz.n_layer_weights(n_qubits),
    }
    for name, value in wanted.items():
        found = getattr(engine, name, None)
        if found != value:
            raise CircuitError(f"{what}: {name} must be {value}; got {found}")
    if not isinstance(getattr(engine, "fingerprint", None), str):
        raise CircuitError(f"{what}: fingerprint must be a string, empty where nothing is compiled")


def _check_qubit_order(what: str, engine: Circuit, dtype: torch.dtype) -> None:
    """A flip of qubit k shows on output k, and on no other; exact whatever the shots."""
    n = engine.n_qubits
    off, weights = torch.zeros(engine.n_layers), torch.zeros(engine.n_layers, engine.n_layer_weights)
    flips = torch.diag(torch.full((n,), torch.pi))
    found = engine.expectations(*(part.to(dtype) for part in (flips, weights, off)))
    if not torch.allclose(found.double(), 1 - 2 * torch.eye(n, dtype=torch.float64), rtol=0, atol=1e-5):
        raise CircuitError(f"{what}: output k must be <Z> of qubit k; got {found.tolist()} for flips of each qubit")


def _sizes(n_qubits: int, n_layers: int) -> str:
    return f"{n_qubits} qubit{'s' * (n_qubits > 1)}, {n_layers} layer{'s' * (n_layers > 1)}"


def _refuse(where: str, violation: str | None) -> None:
    if violation is not None:
        raise CircuitError(f"{where}: {violation}")


@contextmanager
def _executing(what: str) -> Iterator[None]:
    """Around a caller's quantum functions, which may fail in any way."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())
        raise CircuitError(f"{what} can't be executed: {reason}") from error
