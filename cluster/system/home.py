"""Where the service of this machine keeps its token, state and logs, and how others log in to it."""

import os
from contextlib import suppress
from pathlib import Path

from cluster.system.environment import set_defaults
from cluster.system.files import read_json_object

HOME = "QSYNTH_HOME"


def home() -> Path:
    """``$QSYNTH_HOME``, or ``~/.qsynth``."""
    return Path(os.environ.get(HOME) or Path.home() / ".qsynth")


def log_in_to_tracking(uri: str) -> None:
    """Have MLflow's clients in this process show the service's token to its server, and to no other one's.

    Args:
        uri: the server that they are to ask. What the user set about how to log in stays.
    """
    if read_json_object(home() / "service.json").get("tracking_uri") != uri:
        return
    if not {"MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME"} & set(os.environ):
        with suppress(OSError):
            set_defaults({"MLFLOW_TRACKING_TOKEN": (home() / "token").read_text().strip()})
