"""What a finite number of shots does to a generator's rows."""

import torch
from torch import Tensor

from qsynth.circuits.sampling import taken_of
from qsynth.space.controls import Controls, is_on


def shots_of(most: int, controls: Controls) -> Tensor | int:
    """How many of ``most`` shots a trial takes."""
    return taken_of(most, controls.shots) if is_on(controls.shots) else most


def dithered(x: Tensor, noise: Tensor, shots: Tensor | int) -> Tensor:
    """Outputs of circuits (m x d, on a lattice of steps 2 / shots) spread evenly over the steps around them.

    Args:
        noise: m x d, standard normal, of which the ranks are used. A shift out of [-1, 1] is turned round.
    """
    shift = (2 * torch.special.ndtr(noise) - 1) / shots
    return x + torch.where((x + shift).abs() > 1, -shift, shift).detach()


def as_read(x: Tensor, noise: Tensor, shots: Tensor | int) -> Tensor:
    """tanh(x) (m x d) with normal noise of the variance (1 - tanh^2) / shots that outcomes of +-1 of this mean have;
    reparametrised by ``noise`` (m x d, standard normal), reflected at +-1."""
    below = torch.exp(-x.abs())
    slope = 2 * below / (1 + torch.square(below))  # 1 / cosh, which is the square root of 1 - tanh^2
    read = torch.tanh(x) + slope * noise / shots**0.5
    return torch.where(read.abs() > 1, (torch.remainder(read - 1, 4) - 2).abs() - 1, read)
