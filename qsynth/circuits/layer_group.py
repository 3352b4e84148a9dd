"""A circuit's layers as operations on states, those of equal rotations together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from qsynth.circuits.gates import DiagonalGates, GateStep, PermutationGate, RotationGates
from qsynth.circuits.program import CircuitProgram, CircuitStep, Diagonals, Permutation, Rotations


class LayerGroup:
    """Layers that differ in their permutations at most; what they share is built in one tensor expression.

    Args:
        program: of one of the layers.
        layers: the steps of each by its number; all of one layer's program, or the last ones.
    """

    def __init__(self, program: CircuitProgram, layers: dict[int, tuple[CircuitStep, ...]], dtype: torch.dtype) -> None:
        self.members = list(layers)
        places = list(zip(*layers.values(), strict=True))  # the steps at each place
        self._gates = [_parametrised(program, steps[0], dtype) for steps in places]
        permutations = [[step for step in steps if isinstance(step, Permutation)] for steps in places]
        self._permutations: list[list[GateStep]] = [
            [PermutationGate([step], dtype) for step in steps] for steps in permutations
        ]
        self.is_shared = all(gates is None or gates.is_shared for gates in self._gates)
        first = self._gates[0] if self._gates else None
        # Rotations that are one matrix a layer, and permutations, which are one with it, too.
        self._whole: RotationGates | None = None
        if isinstance(first, RotationGates) and first.is_shared and first.is_whole and not any(self._gates[1:]):
            self._whole = first
            self._side_by_side = [PermutationGate(steps, dtype) for steps in permutations[1:]]
            self._nothing = torch.eye(2 ** (program.n_qubits + 1), dtype=dtype)
        # States that a gradient keeps for one layer: two for a permutation, three for the mask.
        self.n_states_kept = 3 + sum(2 if gates is None else gates.n_states_kept for gates in self._gates)

    @property
    def is_whole(self) -> bool:
        """Whether each layer is one matrix."""
        return self._whole is not None

    def matrices(self, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """What layers do to states, layers x 2D x 2D, of weights (layers x weights) and mask (layers)."""
        assert self._whole is not None
        matrices = self._whole.whole(weights)
        rows = matrices.flatten(0, 1).T
        for permutation in self._side_by_side:
            rows = permutation(rows)
        return torch.where((layer_mask > 0)[:, None, None], rows.T.reshape(matrices.shape), self._nothing)

    def steps(self, inputs: Tensor, weights: Tensor) -> dict[int, list[GateStep]]:
        """Layer -> what it does to states (any x 2D), for the members' ``weights`` and the batch's ``inputs``."""
        made: dict[int, list[GateStep]] = {layer: [] for layer in self.members}
        of_samples: list[Tensor] = []
        if not self.is_shared:
            of_samples = [torch.cat([inputs, each.expand(len(inputs), -1)], dim=-1) for each in weights.unbind()]
        for place, gates in enumerate(self._gates):
            of_layers: Sequence[GateStep]
            if gates is None:
                of_layers = self._permutations[place]
            elif gates.is_shared:
                of_layers = gates.shared(weights)
            else:
                of_layers = [gates.of_samples(parameters) for parameters in of_samples]
            for layer, step in zip(self.members, of_layers, strict=True):
                made[layer].append(step)
        return made


def _parametrised(
    program: CircuitProgram, step: CircuitStep, dtype: torch.dtype
) -> RotationGates | DiagonalGates | None:
    if isinstance(step, Rotations):
        return RotationGates(program, step, dtype)
    return DiagonalGates(program, step, dtype) if isinstance(step, Diagonals) else None
