"""Ways to bring a trial back that went wrong, while it runs and with the hyperparameters that it has."""

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.func import vmap

from qsynth import rng
from qsynth.gan.update import DistanceUpdate
from qsynth.gan.weights import Weights

Recovery = Literal["reinitialise", "shrink", "restart_critic"]
RECOVERIES: tuple[Recovery, ...] = get_args(Recovery)
SHRINK = 0.5


def recover(
    weights: Weights, update: DistanceUpdate, lanes: Tensor, how: Recovery, seeds: Tensor, steps: Tensor
) -> Tensor:
    """Change the weights of some lanes in place, and make their optimisers forget; the other lanes keep every bit.

    - ``reinitialise``: both networks anew, as of another seed. Nothing of what was learned is left.
    - ``shrink``: the generator half way back to where its seed started it, where angles are small and <Z> has a
      gradient; the critic stays.
    - ``restart_critic``: the critic anew, if there is one; the generator stays.

    Args:
        seeds: of all lanes, int64; steps: their iterations, which new seeds depend on too.

    Returns:
        The chosen lanes' seeds from now on.
    """
    old = seeds[lanes]
    new = rng.descendant(old, steps[lanes])
    start, _ = vmap(update.initial)(old)
    generator, critic = vmap(update.initial)(new)
    if how == "shrink":
        generator = torch.lerp(weights.generator[lanes], start, SHRINK)
    if how != "restart_critic":
        weights.set_generator(lanes, generator)
    if how != "shrink":
        weights.set_critic(lanes, critic)
    return new if how == "reinitialise" else old
