"""Any PennyLane device as an engine: simulators, noise models, hardware."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any, Literal

import pennylane as qp
import torch
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.noise import NoiseConfig
from qsynth.circuits.readout import Words, find_readout
from qsynth.errors import QsynthError

Differentiation = Literal["best", "backprop", "adjoint", "parameter-shift"]


def known_devices() -> list[str]:
    """Names of the PennyLane devices that are installed here."""
    return sorted(entry.name for entry in entry_points(group="pennylane.plugins"))


def has_device(name: str) -> bool:
    """Whether a PennyLane device of this name is installed."""
    return name in known_devices()


class PennyLaneEngine:
    """Executes an :class:`Ansatz` on a PennyLane device, with the same arguments and shapes as the statevector engine.

    Values and gradients come from PennyLane, one trial at a time: under ``torch.func.vmap`` the lanes are a loop.
    ``executions`` counts circuits, ``shots_used`` shots, as the device reports them.

    ``fingerprint`` is empty: what a device executes is not compiled.

    Raises:
        QsynthError: the device can't be made here, or it does not support the differentiation.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        n_qubits: int,
        n_layers: int,
        device: str,
        differentiation: Differentiation = "best",
        shots: int | None = None,
        readout: str | Words = "z",
        noise: NoiseConfig | None = None,
    ) -> None:
        self.name, self.n_qubits, self.n_layers, self.shots = device, n_qubits, n_layers, shots
        self.n_inputs = ansatz.n_inputs(n_qubits, n_layers)
        self.n_layer_weights = ansatz.n_layer_weights(n_qubits)
        self._readout = find_readout(readout, n_qubits)
        self.n_outputs = self._readout.n_outputs(n_qubits)
        self.fingerprint = ""
        self.executions = 0
        self.shots_used = 0
        self._ansatz, self._noise = ansatz, noise
        try:
            self._device = qp.device(device, wires=n_qubits)
        except Exception as error:  # a plugin may raise anything when its hardware or library is absent
            reason = " ".join(str(error).split())
            raise QsynthError(f"engine {device!r} can't be used here: {reason}") from None
        if differentiation == "best":
            self._method = "backprop" if device == "default.qubit" and shots is None else "best"
        else:
            self._method = differentiation
        if differentiation in ("backprop", "adjoint"):
            wanted = qp.devices.ExecutionConfig(gradient_method=differentiation)
            if shots is not None or not self._device.supports_derivatives(wanted):
                on = device if shots is None else f"{device} with {shots} shots"
                raise QsynthError(
                    f"differentiation must be one that {on} supports, e.g. 'best'; got {differentiation!r}"
                )

    def expectations(self, angles: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """Batch x outputs; arguments as in ``StatevectorEngine.expectations``."""
        return _Expectations.apply(angles, weights, layer_mask, self)  # type: ignore[no-any-return, no-untyped-call]

    def execute(self, angles: Tensor, weights: Tensor, layers: list[int]) -> Tensor:
        """Batch x outputs with the given layers, differentiable by torch autograd."""

        def circuit(inputs: Any, layer_weights: Any) -> Any:
            self._ansatz.embed(inputs, self.n_qubits)
            for index in layers:
                self._ansatz.layer(index, inputs, layer_weights[index], self.n_qubits)
            if self._noise is not None:
                self._noise.on_readout(self.n_qubits)
            return self._readout.measurements(self.n_qubits)

        node = qp.QNode(circuit, self._device, interface="torch", diff_method=self._method)
        if self._noise is not None:
            node = self._noise.on_gates(node)
        if self.shots is not None:
            node = qp.set_shots(node, shots=self.shots)
        rows = [self._readout.outputs(node(row, weights)) for row in angles]
        return torch.stack(rows).to(angles.dtype)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Adds what the device executes inside the block, gradients too, to ``executions`` and ``shots_used``."""
        with qp.Tracker(self._device) as tracker:
            yield
        self.executions += int(tracker.totals.get("executions", 0))
        self.shots_used += int(tracker.totals.get("shots", 0))


class _Expectations(torch.autograd.Function):
    """The bridge from torch.func (grad, vmap) to a device that knows neither."""

    @staticmethod
    def forward(angles: Tensor, weights: Tensor, layer_mask: Tensor, engine: PennyLaneEngine) -> Tensor:
        with torch.no_grad(), engine.counting():
            return engine.execute(angles, weights, _active(layer_mask))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        angles, weights, layer_mask, engine = inputs
        ctx.save_for_backward(angles, weights, layer_mask)
        ctx.engine = engine

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        angles, weights, layer_mask = ctx.saved_tensors
        d_angles, d_weights = _VectorJacobian.apply(angles, weights, layer_mask, gradient, ctx.engine)  # type: ignore[no-untyped-call]
        return d_angles, d_weights, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        lanes = _lanes(info.batch_size, in_dims, inputs)
        return torch.stack([_Expectations.apply(*lane) for lane in lanes]), 0  # type: ignore[no-untyped-call]


class _VectorJacobian(torch.autograd.Function):
    """Gradients of the circuit for angles and weights, as an operation of its own so that it can be vmapped too."""

    @staticmethod
    def forward(
        angles: Tensor, weights: Tensor, layer_mask: Tensor, gradient: Tensor, engine: PennyLaneEngine
    ) -> tuple[Tensor, Tensor]:
        with torch.enable_grad(), engine.counting():
            inputs = angles.detach().requires_grad_(), weights.detach().requires_grad_()
            values = engine.execute(*inputs, _active(layer_mask))
            found: tuple[Tensor | None, ...] = (None, None)
            if values.requires_grad:  # not so where all layers are off and nothing is embedded
                found = torch.autograd.grad(values, inputs, gradient, allow_unused=True)
        zeros = torch.zeros_like(angles), torch.zeros_like(weights)
        first, second = (zero if grad is None else grad for grad, zero in zip(found, zeros, strict=True))
        return first, second

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> None:
        raise QsynthError("second derivatives of a circuit need the statevector engine")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        results = [_VectorJacobian.apply(*lane) for lane in _lanes(info.batch_size, in_dims, inputs)]  # type: ignore[no-untyped-call]
        angles, weights = zip(*results, strict=True)
        return (torch.stack(angles), torch.stack(weights)), (0, 0)


def _active(layer_mask: Tensor) -> list[int]:
    return [index for index, on in enumerate(layer_mask.tolist()) if on]


def _lanes(batch_size: int, in_dims: tuple[Any, ...], inputs: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The arguments of each lane, from arguments of which some have a lane axis."""
    return [
        tuple(value if dim is None else value.select(dim, index) for dim, value in zip(in_dims, inputs, strict=True))
        for index in range(batch_size)
    ]
