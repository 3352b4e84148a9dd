"""Models of a distribution over bit strings, fitted to shots, many data sets and starts at once.

A law is a row of the probabilities of all D = 2^n strings, the first bit the highest; lanes are rows. All models are
enumerated, so likelihoods and their gradients are exact.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pennylane as qp
import torch
from torch import Tensor
from torch.func import vmap

from qsynth import rng
from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.encoder import NONE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.quantum.bitstrings import GroundStateBits
from qsynth.gan.born import grid
from tests.benchmarks.born_shots import FLOOR, Symmetry

STREAM = 7_022
BETAS, CHECKPOINTS = (0.9, 0.99), (3, 6, 10, 15, 20, 30, 40, 60, 90, 120)
N_STARTS = 2
ANSATZ = "hardware_efficient"
FLIPS = (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
FIELDS = np.geomspace(0.1, 5.0, 79)


@dataclass(frozen=True, kw_only=True)
class Family:
    """Laws with parameters.

    Attributes:
        law: laws (lanes x D) of parameters (lanes x size).
        centre: of the parameters of a start (size).
        spread: their standard deviation.
        rate: of Adam.
        n_steps: of it; checkpoints are those of :data:`CHECKPOINTS` that it reaches.
        decay: weight of the sum of squares of the parameters beside the mean negative log-likelihood of a shot.
        distance: dissimilarity of strings (D x D) whose energy distance to the shots is minimised; None for likelihood.
    """

    law: Callable[[Tensor], Tensor]
    centre: Tensor
    spread: float
    rate: float
    n_steps: int = CHECKPOINTS[-1]
    decay: float = 0.0
    distance: Tensor | None = None


def spins(n_qubits: int) -> Tensor:
    """D x n, -1 for a bit of 0 and 1 for 1."""
    return torch.from_numpy(grid(n_qubits, n_qubits, -1.0, 1.0)).float()


def mixture(n_qubits: int, n_parts: int) -> Family:
    """Of ``n_parts`` products of independent bits."""
    s = spins(n_qubits)

    def law(parameters: Tensor) -> Tensor:
        shares, fields = parameters[:, :n_parts], parameters[:, n_parts:].unflatten(1, (n_parts, n_qubits))
        logs = torch.nn.functional.logsigmoid(2 * fields).sum(dim=2, keepdim=True) + (fields @ (s.T - 1))
        return (torch.softmax(shares, dim=1)[..., None] * torch.exp(logs)).sum(dim=1)

    return Family(law=law, centre=torch.zeros(n_parts * (1 + n_qubits)), spread=0.5 if n_parts > 1 else 0.0, rate=0.15)


def visible_boltzmann(n_qubits: int, decay: float) -> Family:
    """exp(a s + s J s), normalised."""
    s = spins(n_qubits)
    first, second = np.triu_indices(n_qubits, k=1)
    features = torch.cat([s, s[:, first] * s[:, second]], dim=1)

    def law(parameters: Tensor) -> Tensor:
        return torch.softmax(parameters @ features.T, dim=1)

    return Family(law=law, centre=torch.zeros(features.shape[1]), spread=0.0, rate=0.15, decay=decay)


def restricted_boltzmann(n_qubits: int, n_hidden: int, decay: float) -> Family:
    """exp(a s) times 2 cosh(b_h + W_h s) of each hidden spin, normalised."""
    s = torch.cat([spins(n_qubits), torch.ones(2**n_qubits, 1)], dim=1)

    def law(parameters: Tensor) -> Tensor:
        fields, weights = parameters[:, :n_qubits], parameters[:, n_qubits:].unflatten(1, (n_hidden, n_qubits + 1))
        pushed = (weights @ s.T).abs()
        hidden = (pushed + torch.log1p(torch.exp(-2 * pushed))).sum(dim=1)
        return torch.softmax(fields @ s.T[:n_qubits] + hidden, dim=1)

    return Family(law=law, centre=torch.zeros(n_qubits + n_hidden * (n_qubits + 1)), spread=0.3, rate=0.15, decay=decay)


def circuit(layer: Callable[..., None], centre: Tensor, n_qubits: int, n_layers: int) -> Callable[[Tensor], Tensor]:
    """The law of a circuit all of whose angles are inputs of the statevector engine: lanes are rows of its batch.

    Args:
        layer: quantum function ``(index, angles, n_qubits)``; angles are those of the layer.
        centre: as many angles as there are.
    """
    size = len(centre) // n_layers

    def whole(index: int, inputs: Any, _weights: Any, n_qubits: int) -> None:
        layer(index, inputs[size * index : size * (index + 1)], n_qubits)

    ansatz = Ansatz(
        name="angles", layer=whole, n_layer_weights=lambda _: 0, encoder=NONE, n_layer_inputs=lambda _: size
    )
    engine = StatevectorEngine(ansatz, n_qubits, n_layers, readout="probabilities")
    nothing, on = torch.zeros(n_layers, 0), torch.ones(n_layers)
    return lambda parameters: (engine.expectations(parameters, nothing, on) + 1).clamp(min=0) / 2


def born(n_qubits: int, ansatz: str, n_layers: int, distance: Tensor | None = None) -> Family:
    """A Born machine: RY on all wires, which start at the uniform law, then layers of a registered ansatz."""
    of_name = ANSAETZE[ansatz]
    size = of_name.n_layer_weights(n_qubits)

    def layer(index: int, angles: Any, n_qubits: int) -> None:
        if index:
            of_name.layer(index - 1, None, angles, n_qubits)
            return
        for wire in range(n_qubits):
            qp.RY(angles[wire], wires=wire)

    centre = torch.zeros(1 + n_layers, size)
    centre[0, :n_qubits] = math.pi / 2
    law = circuit(layer, centre.flatten(), n_qubits, 1 + n_layers)
    return Family(law=law, centre=centre.flatten(), spread=0.1, rate=0.1, n_steps=60, distance=distance)


def chain_circuit(n_qubits: int, basis: str, n_layers: int) -> Family:
    """A Born machine made of the chain's own terms (the Hamiltonian variational ansatz of Wecker, Hastings & Troyer
    2015): |+...+>, then ZZ on all bonds by one angle and X on all sites by another; it is even whatever the angles."""

    def layer(index: int, angles: Any, n_qubits: int) -> None:
        if index == 0:
            for wire in range(n_qubits):
                qp.Hadamard(wires=wire)
        for wire in range(n_qubits - 1):
            qp.IsingZZ(angles[0], wires=[wire, wire + 1])
        for wire in range(n_qubits):
            qp.RX(angles[1], wires=wire)
        if basis == "x" and index == n_layers - 1:
            for wire in range(n_qubits):
                qp.Hadamard(wires=wire)

    centre = torch.full((2 * n_layers,), 0.4)
    return Family(law=circuit(layer, centre, n_qubits, n_layers), centre=centre, spread=0.2, rate=0.1, n_steps=60)


def euclidean(n_qubits: int) -> Tensor:
    """Distances of all pairs of strings as rows of -0.9 and 0.9, D x D."""
    s = 0.9 * spins(n_qubits)
    return torch.cdist(s, s)


def fitted(family: Family, symmetry: Symmetry | None, shares: Tensor, seeds: Tensor, most_steps: int) -> Tensor:
    """Laws at all checkpoints, of the start that fits the lane's own shots best there: checkpoints x lanes x D.

    Args:
        symmetry: what the law is put through before it is compared with shots; None for nothing.
        shares: of each string among a lane's shots, lanes x D.
        seeds: of the starts, lanes.
        most_steps: of Adam, if the family has more.
    """
    n_lanes, size = len(shares), len(family.centre)
    n_starts = N_STARTS if family.spread else 1
    noise = vmap(lambda seed: rng.normal(seed, STREAM, torch.zeros((), dtype=torch.int64), n_starts * size))(seeds)
    start = family.centre + family.spread * noise.reshape(n_lanes * n_starts, size)
    wanted = shares.repeat_interleave(n_starts, dim=0)
    parameters = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([parameters], lr=family.rate, betas=BETAS)

    def law() -> Tensor:
        found = family.law(parameters)
        return found if symmetry is None else symmetry(found)

    def likelihoods(found: Tensor) -> Tensor:
        return (wanted * torch.log(found + FLOOR)).sum(dim=1)

    kept = []
    for step in range(1, min(family.n_steps, most_steps) + 1):
        found = law()
        if family.distance is None:
            losses = -likelihoods(found)
        else:
            losses = (found @ family.distance * (2 * wanted - found)).sum(dim=1)
        losses = losses + family.decay * torch.square(parameters).sum(dim=1)
        optimiser.zero_grad()
        losses.sum().backward()
        optimiser.step()
        if step in CHECKPOINTS:
            with torch.no_grad():
                found = law()
                best = likelihoods(found).unflatten(0, (n_lanes, n_starts)).argmax(dim=1)
                kept.append(found.unflatten(0, (n_lanes, n_starts))[torch.arange(n_lanes), best])
    return torch.stack(kept)


def flipped(n_qubits: int, symmetry: Symmetry | None, shares: Tensor) -> Tensor:
    """Shares spread by turning over each bit with a probability of :data:`FLIPS`, the kernel of Aitchison & Aitken
    (Biometrika 63, 413 (1976)): options x lanes x D."""
    apart = (spins(n_qubits) @ spins(n_qubits).T - n_qubits) / -2
    laws = torch.stack([shares @ (flip**apart * (1 - flip) ** (n_qubits - apart)) for flip in FLIPS])
    return laws if symmetry is None else symmetry(laws)


def chain_laws(n_qubits: int, basis: str, shares: Tensor) -> Tensor:
    """The exact law of the chain at the one of :data:`FIELDS` that fits the shots best, lanes x D."""
    at_fields = [GroundStateBits(n_qubits=n_qubits, field=field, basis=basis).probabilities() for field in FIELDS]
    laws = torch.from_numpy(np.stack(at_fields)).float()
    return laws[(shares @ torch.log(laws + FLOOR).T).argmax(dim=1)]


@dataclass(frozen=True)
class Model:
    """A family's options, and whether they are fitted as they are, too, or symmetrised alone."""

    options: list[Family]
    both_forms: bool = True


def models(n_qubits: int, basis: str) -> dict[str, Model]:
    """By name, in the order in which they are shown."""
    return {
        "independent bits": Model([mixture(n_qubits, 1)]),
        "mixture": Model([mixture(n_qubits, n_parts) for n_parts in (2, 4, 8)]),
        "visible Boltzmann": Model([visible_boltzmann(n_qubits, decay) for decay in (0.0, 0.003, 0.01, 0.03)]),
        "restricted Boltzmann": Model([restricted_boltzmann(n_qubits, n_qubits, decay) for decay in (0.0, 0.01)]),
        "Born": Model([born(n_qubits, ANSATZ, n_layers) for n_layers in (2, 3)]),
        "Born, energy distance": Model([born(n_qubits, ANSATZ, 2, euclidean(n_qubits))], both_forms=False),
        "Born of the chain's terms": Model([chain_circuit(n_qubits, basis, n_qubits // 2)], both_forms=False),
    }
