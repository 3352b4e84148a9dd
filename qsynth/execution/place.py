"""Where a population's tensors live: in the machine's memory, or on its GPU."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

import torch
from torch import Tensor

from qsynth.errors import DeviceError

Place = Literal["cpu", "cuda"]
P = ParamSpec("P")
R = TypeVar("R")


class Placed(Protocol):
    """What has a place."""

    place: torch.device


S = TypeVar("S", bound=Placed)


def check_place(place: Place) -> None:
    """Refuse a GPU that is not there.

    Raises:
        QsynthError: torch sees no GPU.
    """
    if place == "cuda" and not torch.cuda.is_available():
        raise DeviceError("place must be cpu here: torch sees no GPU")


def gpu_bytes() -> int:
    """Memory of this machine's GPU; 0 without one."""
    return torch.cuda.mem_get_info()[1] if torch.cuda.is_available() else 0


def in_place(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that makes its tensors where its object's others are."""

    @functools.wraps(method)
    def placed(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.place == torch.get_default_device():  # torch's own context costs time in every operation
            return method(self, *args, **kwargs)
        with self.place:
            return method(self, *args, **kwargs)

    return placed  # type: ignore[return-value]


def brought(value: Any) -> Any:
    """A tensor, or a dict or named tuple of such, in the machine's memory."""
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {name: brought(part) for name, part in value.items()}
    return type(value)._make(brought(part) for part in value)
