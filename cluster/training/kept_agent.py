"""An agent's file that an earlier attempt at a run left."""

from pathlib import Path

from cluster.system.progress import StudyProgress
from qsynth.errors import QsynthError
from rl_envs.policy import load_policy


def is_whole(path: Path, progress: StudyProgress) -> bool:
    """Whether an agent's file is there, and whole; progress is told of one that is not."""
    if not path.exists():
        return False
    try:
        load_policy(path)
    except QsynthError as error:
        progress.note(f"{error}; it is made anew of the last checkpoint")
        return False
    return True
