"""The commands of the service: start it, submit studies to it, look after them."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.options import AsJson, OutRoot, StudyName
from cluster.service.service import PORTS

service = typer.Typer()

Address = Annotated[
    str | None,
    typer.Option(
        envvar="RAY_API_SERVER_ADDRESS",
        help="The cluster's dashboard, e.g. http://127.0.0.1:8265; left out: the service that runs here.",
    ),
]
MAX_PORT = 65535
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, as `qsynth jobs` shows it.")]


@service.command()
def up(
    out: OutRoot = Path("qsynth-runs"),
    join: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Join this head as a worker.")] = None,
    token: Annotated[Path | None, typer.Option(help="With --join: a copy of the head's token file.")] = None,
    host: Annotated[str, typer.Option(help="The address that workers of other machines join.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=MAX_PORT, help="Where workers join.")] = PORTS["--port"],
    dashboard_port: Annotated[
        int, typer.Option(min=1, max=MAX_PORT, help="Of dashboard and Jobs API, on loopback.")
    ] = PORTS["--dashboard-port"],
    mlflow_port: Annotated[int, typer.Option(min=1, max=MAX_PORT, help="Of the MLflow server, on loopback.")] = PORTS[
        "--mlflow-port"
    ],
    cpus: Annotated[
        int | None, typer.Option(min=0, help="Populations that may run on this machine; left out: one a CPU.")
    ] = None,
    drivers: Annotated[
        int | None,
        typer.Option(min=1, help="Studies that run at a time; others wait. Left out: as CPUs and memory allow."),
    ] = None,
    qpu: Annotated[int, typer.Option(min=0, help="How many trials may use this machine's device at a time.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Start the service on this machine: Ray with its dashboard, MLflow, a token. Or join one as a worker."""
    from cluster.cli.service_commands import run_up
    from cluster.service.service import Offer

    run_up(out, join, token, host, (port, dashboard_port, mlflow_port), Offer(cpus, qpu, drivers or 0), as_json)


@service.command()
def down(as_json: AsJson = False) -> None:
    """Stop running studies, which keep what they have, then the service on this machine."""
    from cluster.cli.service_commands import run_down

    run_down(as_json)


@service.command()
def submit(study: StudyName, address: Address = None, as_json: AsJson = False) -> None:
    """Submit a study to a cluster: `qsynth tune` as a Ray job."""
    from cluster.cli.service_commands import run_submit

    run_submit(study, address, as_json)


@service.command()
def jobs(address: Address = None, as_json: AsJson = False) -> None:
    """List the studies on a cluster."""
    from cluster.cli.service_commands import run_jobs

    run_jobs(address, as_json)


@service.command()
def status(run: RunName, address: Address = None, as_json: AsJson = False) -> None:
    """Show how far a study is."""
    from cluster.cli.service_commands import run_status

    run_status(run, address, as_json)


@service.command()
def logs(
    run: RunName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the study ends.")] = False,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Show what a study has written."""
    from cluster.cli.service_commands import run_logs

    run_logs(run, follow, address, as_json)


@service.command()
def stop(run: RunName, address: Address = None, as_json: AsJson = False) -> None:
    """Ask a study to write a checkpoint and end."""
    from cluster.cli.service_commands import run_stop

    run_stop(run, address, as_json)


@service.command()
def resume(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's name, as `qsynth jobs` shows it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All studies that were stopped, or cut off by a crash.")] = False,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a study that was stopped or has failed."""
    from cluster.cli.service_commands import run_resume

    run_resume(run, every, address, as_json)


@service.command()
def results(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Left out: all that are complete.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the rows to this file.")] = None,
    tracking_uri: Annotated[
        str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Left out: that of the service that runs here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what studies have found, side by side."""
    from cluster.cli.service_commands import run_results

    run_results(runs or [], csv, tracking_uri, as_json)
