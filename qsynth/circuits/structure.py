"""What a circuit is made of and what its parameters can do, found before anything is trained."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import pennylane as qp
import torch
from torch import Tensor
from torch.func import vmap

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.ledger import Work
from qsynth.circuits.program import GATES
from qsynth.circuits.readout import PauliWords, find_readout
from qsynth.circuits.statevector import StatevectorEngine

MAX_QUBITS_SAMPLED = 10  # above, a look at the outputs takes seconds to minutes
LITTLE_SPREAD = 0.05
CONSTANT = 1e-9
N_POINTS, N_ROWS = 3, 4
N_MODELS, N_SAMPLES = 16, 64


class Start(NamedTuple):
    """Where training starts, for some models.

    Attributes:
        inputs: models x rows x inputs, each model's for noise.
        weights: models x layers x weights per layer.
        layer_mask: layers.
    """

    inputs: Tensor
    weights: Tensor
    layer_mask: Tensor


class Outputs(NamedTuple):
    """What the outputs in use do; a number for each of them.

    Attributes:
        low: least value over random inputs and weights, uniform in +-pi.
        high: largest value.
        sd: standard deviation.
        spread: standard deviation over the noise where training starts; root mean square over models.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    sd: tuple[float, ...]
    spread: tuple[float, ...]


class Dead(NamedTuple):
    """Parameters that no output in use depends on: inputs, and (layer, weight) pairs; all count from 0."""

    inputs: tuple[int, ...]
    weights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Structure:
    """What :func:`examine` finds.

    Attributes:
        n_used: outputs that are used, of ``n_outputs``.
        depth: of the circuit as decomposed to the statevector engine's gates.
        gates: name -> how many, of the same.
        dead: None above :data:`MAX_QUBITS_SAMPLED` qubits.
        outputs: None above that too.
        warnings: what a user should know, a line each.
    """

    ansatz: str
    encoder: str
    readout: str | PauliWords
    n_qubits: int
    n_layers: int
    n_inputs: int
    n_weights: int
    n_outputs: int
    n_used: int
    depth: int
    gates: dict[str, int]
    dead: Dead | None
    outputs: Outputs | None
    work: Work
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        nested = {name: getattr(self, name) for name in ("dead", "outputs", "work")}
        return asdict(self) | {name: None if part is None else part._asdict() for name, part in nested.items()}


def examine(
    ansatz: Ansatz,
    n_qubits: int,
    n_layers: int,
    readout: str | PauliWords,
    n_used: int,
    start: Callable[[StatevectorEngine], Start],
    work: Work,
    shots: int | None,
) -> Structure:
    """Look at a circuit with all its layers, free of noise and shots.

    Args:
        n_used: how many of the outputs are used, the first ones.
        start: where the training of this circuit starts.
        work: what a GAN iteration takes on the study's engine; shots: of one circuit there.

    Raises:
        QsynthError: a template that the statevector engine can't read.
    """
    tape = script(ansatz, n_qubits, n_layers, readout)
    resources = tape.specs["resources"]
    n_inputs, n_weights = ansatz.n_inputs(n_qubits, n_layers), ansatz.n_layer_weights(n_qubits) * n_layers
    dead, outputs, warnings = None, None, []
    if n_qubits <= MAX_QUBITS_SAMPLED:
        engine = StatevectorEngine(ansatz, n_qubits, n_layers, torch.float64, readout)
        dead = without_effect(engine, n_used)
        outputs = _outputs(engine, n_used, start(engine))
        warnings = [*_of_dead(dead, n_inputs, n_weights), *_of_outputs(outputs, shots)]
    return Structure(
        ansatz=ansatz.name,
        encoder=ansatz.encoder,
        readout=readout,
        n_qubits=n_qubits,
        n_layers=n_layers,
        n_inputs=n_inputs,
        n_weights=n_weights,
        n_outputs=find_readout(readout, n_qubits).n_outputs(n_qubits),
        n_used=n_used,
        depth=resources.depth,
        gates=dict(resources.gate_types),
        dead=dead,
        outputs=outputs,
        work=work,
        warnings=tuple(warnings),
    )


def script(ansatz: Ansatz, n_qubits: int, n_layers: int, readout: str | PauliWords, barriers: bool = False) -> Any:
    """A circuit as PennyLane's script (tape) of the statevector engine's gates.

    Args:
        barriers: whether a barrier stands before each layer, for drawings.
    """
    inputs = torch.zeros(ansatz.n_inputs(n_qubits, n_layers), requires_grad=True)
    weights = torch.zeros(n_layers, ansatz.n_layer_weights(n_qubits), requires_grad=True)

    def circuit() -> None:
        ansatz.embed(inputs, n_qubits)
        for index in range(n_layers):
            if barriers:
                qp.Barrier(wires=range(n_qubits))
            ansatz.apply(index, inputs, weights[index], n_qubits)
        find_readout(readout, n_qubits).measurements(n_qubits)

    kept = {*GATES, "GlobalPhase", "Barrier"}
    [decomposed], _ = qp.transforms.decompose(qp.tape.make_qscript(circuit)(), gate_set=kept)
    return decomposed


def drawing(ansatz: Ansatz, n_qubits: int, n_layers: int, readout: str | PauliWords, width: int = 110) -> str:
    """The circuit in characters, with a barrier before each layer."""
    tape = script(ansatz, n_qubits, n_layers, readout, barriers=True)
    return str(qp.drawer.tape_text(tape, wire_order=range(n_qubits), show_all_wires=True, max_length=width))


def without_effect(engine: StatevectorEngine, n_used: int) -> Dead:
    """Parameters of an engine in double precision that none of its first ``n_used`` outputs depends on.

    Gradients of random combinations of the outputs at random points, uniform in +-pi, vanish for no other parameters
    but with probability 0.
    """
    random = torch.Generator().manual_seed(0)
    on = torch.ones(engine.n_layers, dtype=torch.float64)
    d_inputs = torch.zeros(engine.n_inputs, dtype=torch.float64)
    d_weights = torch.zeros(engine.n_layers, engine.n_layer_weights, dtype=torch.float64)
    for _ in range(N_POINTS):
        inputs = _angles(random, N_ROWS, engine.n_inputs).requires_grad_()
        weights = _angles(random, *d_weights.shape).requires_grad_()
        factor = torch.randn(N_ROWS, n_used, generator=random, dtype=torch.float64)
        loss = (factor * engine.expectations(inputs, weights, on)[:, :n_used]).sum() + 0 * inputs.sum()
        found = torch.autograd.grad(loss, (inputs, weights), allow_unused=True, materialize_grads=True)
        d_inputs = torch.maximum(d_inputs, found[0].abs().amax(dim=0))
        d_weights = torch.maximum(d_weights, found[1].abs())
    inputs_dead, weights_dead = (each < CONSTANT for each in (d_inputs, d_weights))
    pairs = [(int(layer), int(weight)) for layer, weight in weights_dead.nonzero()]
    return Dead(tuple(int(index) for [index] in inputs_dead.nonzero()), tuple(pairs))


def by_layer(weights: Sequence[tuple[int, int]]) -> str:
    """(layer, weight) pairs in words, e.g. ``'layer 1: 2, 5; layer 2: 0-8'``; both count from 0."""
    layers = sorted({layer for layer, _ in weights})
    return "; ".join(f"layer {at}: {_listed(weight for layer, weight in weights if layer == at)}" for at in layers)


def _listed(numbers: Iterable[int]) -> str:
    """Rising numbers in words, those in a row as a range."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def _angles(random: torch.Generator, *shape: int) -> Tensor:
    return 2 * math.pi * torch.rand(*shape, generator=random, dtype=torch.float64) - math.pi


def _outputs(engine: StatevectorEngine, n_used: int, start: Start) -> Outputs:
    random = torch.Generator().manual_seed(1)
    inputs = _angles(random, N_MODELS, N_SAMPLES, engine.n_inputs)
    weights = _angles(random, N_MODELS, engine.n_layers, engine.n_layer_weights)
    run = vmap(engine.expectations, in_dims=(0, 0, None))
    anywhere = run(inputs, weights, torch.ones(engine.n_layers, dtype=torch.float64))[..., :n_used].flatten(0, 1)
    at_start = run(*(part.double() for part in start))[..., :n_used]
    spread = at_start.var(dim=1).mean(dim=0).sqrt()
    found = anywhere.amin(dim=0), anywhere.amax(dim=0), anywhere.std(dim=0), spread
    return Outputs(*(tuple(part.tolist()) for part in found))


def _of_dead(dead: Dead, n_inputs: int, n_weights: int) -> list[str]:
    lines = []
    if dead.weights:
        of = f"{len(dead.weights)} of {n_weights} weights have"
        lines.append(f"{of} no effect on the outputs used: {by_layer(dead.weights)} (counted from 0)")
    if dead.inputs:
        of = f"{len(dead.inputs)} of {n_inputs} inputs have"
        lines.append(f"{of} no effect on the outputs used: {_listed(dead.inputs)} (counted from 0)")
    return lines


def _of_outputs(outputs: Outputs, shots: int | None) -> list[str]:
    lines = []
    constant = [index for index, sd in enumerate(outputs.sd) if sd < CONSTANT]
    if constant:
        which = ", ".join(f"{index} (at {outputs.low[index]:.2g})" for index in constant)
        lines.append(f"{len(constant)} of {len(outputs.sd)} outputs never change: {which}")
    least = min(outputs.spread)
    if not constant and least < LITTLE_SPREAD:
        lines.append(
            f"outputs spread only {least:.2g} over the noise before training; fewer qubits or layers, or another "
            "encoder, may give more"
        )
    if shots is not None and least < shots**-0.5:
        lines.append(f"outputs spread {least:.2g} over the noise before training, less than {shots} shots scatter them")
    return lines
