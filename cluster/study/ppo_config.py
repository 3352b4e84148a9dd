"""How an agent learns, as a part of a study."""

from pydantic import Field

from qsynth.config import Config
from rl_envs.policy import PolicyConfig


class PPOConfig(Config):
    """PPO (Schulman et al. 2017) for short episodes; the defaults learn within some 15 updates of 1,280 decisions.

    Attributes:
        minibatch: decisions of a gradient step; more where many populations make batches of more than 16 minibatches.
        start: the agent that training goes on from: a shipped one's name, or a file; left out: a new one.
    """

    start: str | None = None
    lr: float = Field(5e-4, gt=0, le=1)
    gamma: float = Field(0.995, gt=0, le=1)
    gae_lambda: float = Field(0.95, ge=0, le=1)
    clip: float = Field(0.2, gt=0, le=1)
    entropy: float = Field(0.002, ge=0, le=1)
    epochs: int = Field(8, ge=1, le=100)
    minibatch: int = Field(320, ge=8, le=1_000_000)
    grad_clip: float = Field(0.5, gt=0)
    policy: PolicyConfig = PolicyConfig()
