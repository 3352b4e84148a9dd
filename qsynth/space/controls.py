"""A trial's hyperparameters in the form that the networks and their updates use."""

from typing import NamedTuple, cast

from torch import Tensor

# Stands for a control that a trial does not use: a tuple without tensors, so programs have no argument for it.
OFF = cast(Tensor, ())


def is_on(control: Tensor) -> bool:
    """Whether a trial uses this control; known when programs are built."""
    return isinstance(control, Tensor)


class Controls(NamedTuple):
    """Numbers, and masks over the capacity; each is :data:`OFF` where the trial's kinds have no use for it."""

    lr_generator: Tensor
    lr_critic: Tensor
    gp_weight: Tensor
    beta1: Tensor
    n_critic: Tensor
    sample_weights: Tensor  # batch capacity: 1 / batch_size for samples in use, else 0
    latent_mask: Tensor  # latent_dim capacity
    layer_mask: Tensor  # circuit layers
    unit_mask: Tensor  # critic width: hidden units, or channels
    critic_layer_mask: Tensor = OFF  # critic layers
    filter_mask: Tensor = OFF  # filter size
    vae_layer_mask: Tensor = OFF  # VAE layers
    vae_unit_mask: Tensor = OFF  # VAE width
    kl_weight: Tensor = OFF
    weight_average: Tensor = OFF
    label_smoothing: Tensor = OFF
    instance_noise: Tensor = OFF
    fidelity_weight: Tensor = OFF
    diversity_weight: Tensor = OFF
    shots: Tensor = OFF
    adversarial_weight: Tensor = OFF
    critic_start: Tensor = OFF
    pattern: Tensor = OFF
    utility_weight: Tensor = OFF
    balance_weight: Tensor = OFF

    def of_lane(self, lane: int) -> "Controls":
        """One trial's, of those with a leading lane axis."""
        return Controls(*(value[lane] if is_on(value) else value for value in self))
