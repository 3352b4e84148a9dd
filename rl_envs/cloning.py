"""Behaviour cloning: a policy that does what demonstrations do."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rl_envs.demonstrations import Demonstrations
from rl_envs.policy import PolicyNetwork

MAX_EPOCHS, PATIENCE, BATCH, LEARNING_RATE = 200, 10, 256, 1e-3
HELD_OUT = 0.1


def clone(network: PolicyNetwork, demonstrations: Demonstrations, seed: int) -> float:
    """Fit a policy by maximum likelihood (Pomerleau 1991), in place; how much floats explore stays as it is.

    Stops when a tenth of the decisions, held out, are predicted no better.

    Returns:
        Mean negative log-likelihood of the held-out decisions, in nats, but for a constant.

    Raises:
        ValueError: fewer than ten decisions.
    """
    if len(demonstrations) < 1 / HELD_OUT:
        raise ValueError(f"demonstrations must have at least {1 / HELD_OUT:.0f} decisions; got {len(demonstrations)}")
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(demonstrations), generator=generator)
    observations = torch.as_tensor(demonstrations.observations)
    actions = {name: torch.as_tensor(action) for name, action in demonstrations.actions.items()}
    held_out, rest = order.split([round(len(order) * HELD_OUT), len(order) - round(len(order) * HELD_OUT)])

    def loss(chosen: Tensor) -> Tensor:
        return _loss(network, observations[chosen], {name: action[chosen] for name, action in actions.items()})

    optimiser = torch.optim.Adam(network.network.parameters(), LEARNING_RATE)
    best, kept, since = float("inf"), {}, 0
    for _ in range(MAX_EPOCHS):
        for batch in rest[torch.randperm(len(rest), generator=generator)].split(BATCH):
            optimiser.zero_grad()
            loss(batch).backward()
            optimiser.step()
        with torch.no_grad():
            reached = float(loss(held_out))
        since += 1
        if reached < best:
            best, since = reached, 0
            kept = {name: value.clone() for name, value in network.state_dict().items()}
        if since >= PATIENCE:
            break
    network.load_state_dict(kept)
    return best


def _loss(network: PolicyNetwork, observations: Tensor, actions: dict[str, Tensor]) -> Tensor:
    parts, shifts = network.parts(network(observations))
    discrete = {name: actions[name].long() for name in network.discrete}
    terms = [cross_entropy(parts[name], chosen) for name, chosen in discrete.items()]
    for name, mean in network.means(parts, shifts, discrete).items():
        deviation = (actions[name] - mean) / parts[name][..., 1:].detach().exp()
        terms.append(0.5 * deviation.square().mean())
    return torch.stack(terms).sum()
