"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
