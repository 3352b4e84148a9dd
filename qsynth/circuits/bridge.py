"""The bridge from torch.func (grad, vmap) to a device that knows neither: lanes become a loop."""

from typing import Any, Protocol

import torch
from torch import Tensor

from qsynth.errors import DeviceError


class Device(Protocol):
    """What the bridge leads to; both methods as in ``PennyLaneEngine``."""

    def values(self, inputs: Tensor, weights: Tensor, layers: list[int]) -> Tensor: ...

    def vector_jacobian(
        self, inputs: Tensor, weights: Tensor, layers: list[int], factors: Tensor
    ) -> tuple[Tensor, Tensor]: ...


class Expectations(torch.autograd.Function):
    """Batch x outputs, of (inputs, weights, layer_mask, device)."""

    @staticmethod
    def forward(inputs: Tensor, weights: Tensor, layer_mask: Tensor, device: Device) -> Tensor:
        return device.values(inputs, weights, _active(layer_mask))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:3])
        ctx.device = inputs[3]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        of_inputs, of_weights = _VectorJacobian.apply(*ctx.saved_tensors, gradient, ctx.device)  # type: ignore[no-untyped-call]
        return of_inputs, of_weights, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        lanes = _lanes(info.batch_size, in_dims, inputs)
        return torch.stack([Expectations.apply(*lane) for lane in lanes]), 0  # type: ignore[no-untyped-call]


class _VectorJacobian(torch.autograd.Function):
    """Gradients of the circuit for inputs and weights, as an operation of its own so that it can be vmapped too."""

    @staticmethod
    def forward(
        inputs: Tensor, weights: Tensor, layer_mask: Tensor, gradient: Tensor, device: Device
    ) -> tuple[Tensor, Tensor]:
        return device.vector_jacobian(inputs, weights, _active(layer_mask), gradient)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> None:
        raise DeviceError("second derivatives of a circuit need the statevector engine")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        results = [_VectorJacobian.apply(*lane) for lane in _lanes(info.batch_size, in_dims, inputs)]  # type: ignore[no-untyped-call]
        of_inputs, of_weights = zip(*results, strict=True)
        return (torch.stack(of_inputs), torch.stack(of_weights)), (0, 0)


def _active(layer_mask: Tensor) -> list[int]:
    return [index for index, on in enumerate(layer_mask.tolist()) if on]


def _lanes(batch_size: int, in_dims: tuple[Any, ...], inputs: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The arguments of each lane, from arguments of which some have a lane axis."""
    return [
        tuple(value if dim is None else value.select(dim, index) for dim, value in zip(in_dims, inputs, strict=True))
        for index in range(batch_size)
    ]
