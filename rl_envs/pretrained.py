"""The trained agents that ship with the package."""

from importlib import resources
from pathlib import Path

from qsynth.errors import QsynthError, did_you_mean
from rl_envs.policy import PolicyFile, load_policy

DEFAULT = "default"


def agents() -> dict[str, Path]:
    """Name -> file."""
    folder = Path(str(resources.files("rl_envs") / "pretrained_agents"))
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def agent_file(name_or_path: str) -> Path:
    """A shipped agent by name, or any agent's file by path.

    Raises:
        QsynthError: neither.
    """
    known = agents()
    path = known.get(name_or_path, Path(name_or_path))
    if not path.is_file():
        raise QsynthError(
            f"an agent must be {' or '.join(known)} or a file; got {name_or_path!r}.{did_you_mean(name_or_path, known)}"
        )
    return path


def card(name_or_path: str) -> PolicyFile:
    """What an agent sees and does, and how it was trained.

    Raises:
        QsynthError: no such agent, or not an agent's file.
    """
    _, file = load_policy(agent_file(name_or_path))
    return file
