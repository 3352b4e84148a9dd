"""Arguments and options that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from qsynth.errors import QsynthError

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="A preset (see `qsynth presets`) or a YAML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Cluster = Annotated[
    str | None, typer.Option(envvar="RAY_ADDRESS", help="A Ray cluster; left out: one is started here.")
]
TrackingUri = Annotated[
    str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="An MLflow server; left out: sqlite in --out.")
]
OutRoot = Annotated[
    Path, typer.Option("--out", envvar="QSYNTH_OUT", help="Directory for the runs and the embedded MLflow store.")
]

# Command -> option that it had -> what it is called now.
RENAMED = {
    "compare": {
        "--seeds": "--problems",
        "--search": "--search-trials",
        "--keep": "--return",
        "--card": "--write-card",
    },
    "sample": {"--label": "--where"},
}


def check_spelling(arguments: Sequence[str]) -> None:
    """Tell somebody who uses an option's old name what it is called now.

    Raises:
        QsynthError: an option of the command has another name now.
    """
    renamed = RENAMED.get(arguments[0], {}) if arguments else {}
    for argument in arguments:
        name = argument.partition("=")[0]
        if name in renamed:
            raise QsynthError(f"{arguments[0]} has no option {name}. Did you mean {renamed[name]!r}?")
