"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="A preset (see `qsynth presets`) or a YAML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
OutRoot = Annotated[
    Path, typer.Option("--out", envvar="QSYNTH_OUT", help="Directory for the runs and the embedded MLflow store.")
]
