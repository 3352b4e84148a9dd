"""The command line. Heavy imports happen inside the commands, so that ``qsynth --help`` answers at once."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.options import AsJson, Cluster, OutRoot, StudyName, TrackingUri, check_spelling
from cluster.cli.output import fail
from cluster.cli.own_tables import own_tables
from cluster.cli.service import service
from cluster.system.environment import prepare_process
from cluster.system.files import cant_write
from cluster.system.interrupt import EndedAtOnce, Interrupted
from qsynth.errors import QsynthError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Training data for quantum neural networks, from quantum GANs that an RL agent tunes while they train.",
)

app.add_typer(own_tables)
app.add_typer(service)


@app.command()
def tune(
    study: StudyName,
    out: OutRoot = Path("qsynth-runs"),
    run: Annotated[str | None, typer.Option(help="The run's name; left out: made of the study's and the time.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --run, or the latest run of this study in --out.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Replaces the study's seed.")] = None,
    trials: Annotated[
        int | None, typer.Option(help="Replaces budget.agent_trials; with --resume it may be raised.")
    ] = None,
    held_out: Annotated[
        int | None, typer.Option(help="Replaces budget.held_out; with --resume it may be raised.")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(help="Ray Tune searches in an agent's place: tpe, gp, asha, pbt, tpe+asha, ...; replaces search."),
    ] = None,
    address: Cluster = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train an agent to tune a quantum GAN, and measure it against defaults, tuned schedules and random search."""
    from cluster.cli.commands import run_tune

    changes = {"seed": seed, "budget.agent_trials": trials, "budget.held_out": held_out, "search": search}
    run_tune(study, out, run, resume, changes, address, tracking_uri, as_json)


@app.command()
def experiment(
    plan: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="rows, quick, or a YAML file.")],
    seeds: Annotated[int | None, typer.Option(min=2, help="Replaces the experiment's n_seeds.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Directory; what is there already is not run again.")] = Path(
        "qsynth-experiment"
    ),
    address: Cluster = None,
    tracking_uri: Annotated[
        str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="An MLflow server to log to; left out: none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what synthetic rows are worth to a QNN, beside real rows, conventional augmentation and yardsticks."""
    from cluster.cli.experiment import ExperimentOptions, run_experiment

    options = ExperimentOptions(name=plan, out=out, seeds=seeds, address=address, tracking_uri=tracking_uri)
    run_experiment(options, as_json=as_json)


@app.command()
def compare(
    studies: Annotated[list[str], typer.Argument(metavar="STUDY...", help="Presets or YAML files, each a family.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(help="One of `qsynth agents`, or a file; repeated: the first is who others are compared with."),
    ] = None,
    rivals: Annotated[str, typer.Option(help="Names, comma-separated; all, or a wrong name, lists them.")] = "all",
    budgets: Annotated[str, typer.Option(help="Budgets per problem in runs, comma-separated.")] = "1,4,16",
    problems: Annotated[int, typer.Option(min=1, help="Held-out problems of each study.")] = 10,
    search_trials: Annotated[int, typer.Option(min=1, help="Trials on training instances for each tuned rival.")] = 512,
    retrain: Annotated[bool, typer.Option(help="Train again, with a fresh seed, what everybody returned.")] = True,
    start: Annotated[str, typer.Option(help="Where those start who don't choose: defaults, or random.")] = "defaults",
    returned: Annotated[
        str, typer.Option("--return", help="What a run may return: its best GAN on validation, or its last.")
    ] = "best",
    write_card: Annotated[
        bool, typer.Option("--write-card", help="Write the result into the first agent's file.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", help="Directory; what is there already is not run again.")] = Path(
        "qsynth-compare"
    ),
    address: Cluster = None,
    tracking_uri: Annotated[
        str | None, typer.Option(envvar="MLFLOW_TRACKING_URI", help="An MLflow server to log to; left out: none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare agents with searches under equal budgets, on problems that none has seen; ends with an HTML report."""
    from cluster.cli.compare import CompareOptions, run_compare

    options = CompareOptions(
        studies=studies,
        agents=agent or [],
        rivals=rivals,
        budgets=budgets,
        problems=problems,
        search_trials=search_trials,
        retrain=retrain,
        start=start,
        returned=returned,
        write_card=write_card,
        out=out,
        address=address,
        tracking_uri=tracking_uri,
    )
    run_compare(options, as_json=as_json)


@app.command()
def train(
    study: StudyName,
    out: Annotated[Path, typer.Option("--out", help="The model's file.")] = Path("model.safetensors"),
    agent: Annotated[
        str | None,
        typer.Option(help="One of `qsynth agents`, or a file; left out: the study's defaults."),
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="A schedule's JSON file to follow instead.")] = None,
    seed: Annotated[int, typer.Option(help="Of the split, the networks and the noise.")] = 0,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A constant, e.g. --set lr_critic=0.002; may be repeated.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG of real against synthetic marginals.")] = None,
    schedule: Annotated[Path | None, typer.Option(help="JSON of the hyperparameters over the run.")] = None,
    explain: Annotated[Path | None, typer.Option(help="PNG of what the agent did, and what it saw then.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train one quantum GAN, with constant hyperparameters, under a trained agent, or along a schedule."""
    from cluster.cli.train import TrainOptions, run_train

    options = TrainOptions(
        out=out,
        seed=seed,
        agent=agent,
        replay=replay,
        settings=values or [],
        plot=plot,
        schedule=schedule,
        explain=explain,
    )
    run_train(study, options, as_json)


@app.command()
def presets(as_json: AsJson = False) -> None:
    """List the studies that ship with qsynth."""
    from cluster.cli.commands import list_presets

    list_presets(as_json)


@app.command()
def pretrain(
    curriculum: Annotated[str, typer.Argument(help="families, or a YAML file; with --resume, a run's folder.")],
    out: OutRoot = Path("qsynth-runs"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")] = False,
    seed: Annotated[int | None, typer.Option(help="Replaces the curriculum's seed.")] = None,
    trials: Annotated[int | None, typer.Option(help="Replaces the curriculum's trials.")] = None,
    observes: Annotated[
        str | None, typer.Option(help="everything, or problem: a schedule for each problem, without feedback.")
    ] = None,
    address: Cluster = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Train an agent on several studies, to be used in others that it has never seen."""
    from cluster.cli.pretrain import run_pretrain

    changes = {"seed": seed, "trials": trials, "observes": observes}
    run_pretrain(curriculum, out, resume, changes, address, tracking_uri, as_json)


@app.command()
def agents(as_json: AsJson = False) -> None:
    """List the trained agents that ship with qsynth, and what they were trained on."""
    from cluster.cli.agents import list_agents

    list_agents(as_json)


@app.command()
def circuit(study: StudyName, as_json: AsJson = False) -> None:
    """Draw a study's circuit, and say what it can do: parameters without effect, spread of outputs, circuits to run."""
    from cluster.cli.circuit import run_circuit

    run_circuit(study, as_json)


@app.command()
def doctor(
    study: Annotated[str | None, typer.Argument(metavar="[STUDY]", help="A study whose engine to explain.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show versions, devices, which engine a study would use and why, Ray and MLflow."""
    from cluster.cli.doctor import run_doctor

    run_doctor(study, as_json)


@app.command()
def sync(
    run_directory: Annotated[Path, typer.Argument(help="A run's directory.")],
    tracking_uri: Annotated[str | None, typer.Option(help="Left out: where the run was going to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send to MLflow what an interrupted run could not."""
    from cluster.cli.commands import run_sync

    run_sync(run_directory, tracking_uri, as_json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of a run of `qsynth tune`, or of `compare --out`.")],
    optuna: Annotated[str, typer.Option(metavar="STORAGE", help="An SQLite file, or a URL: sqlite:///study.db.")],
    name: Annotated[str | None, typer.Option(help="Of the Optuna study; left out: the folder's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the trials of a finished comparison for optuna-dashboard."""
    from cluster.cli.export import run_export

    run_export(run, optuna, name, as_json=as_json)


def main() -> None:
    """Entry point of the console script. Caller errors are one line and exit code 2."""
    prepare_process()
    try:
        check_spelling(sys.argv[1:])
        app()
    except QsynthError as error:
        fail(str(error))
    except OSError as error:
        if not cant_write(error):
            raise
        fail(f"{error.filename or 'a file'} can't be read or written: {error.strerror}")
    except Interrupted as stop:
        sys.exit(stop.exit_code)
    except EndedAtOnce as stop:
        gc.freeze()  # to collect what Ray and torch leave takes seconds
        sys.exit(stop.exit_code)
