"""The trained agents that ship with the package."""

from pathlib import Path

from qsynth.files.shipped import Shipped
from rl_envs.policy import PolicyFile, load_policy

DEFAULT = "default"
AGENTS = Shipped("rl_envs", "pretrained_agents", ".safetensors")


def agents() -> dict[str, Path]:
    """Name -> file."""
    return AGENTS.files()


def agent_file(name_or_path: str) -> Path:
    """A shipped agent by name, or any agent's file by path.

    Raises:
        QsynthError: neither.
    """
    return AGENTS.find(name_or_path, f"an agent must be {' or '.join(agents())} or a file")


def card(name_or_path: str) -> PolicyFile:
    """What an agent sees and does, and how it was trained.

    Raises:
        QsynthError: no such agent, or not an agent's file.
    """
    _, file = load_policy(agent_file(name_or_path))
    return file
