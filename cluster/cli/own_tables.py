"""Commands for a table of one's own. Heavy imports happen inside the commands."""

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli.options import AsJson

own_tables = typer.Typer()


@own_tables.command()
def check(
    rows: Annotated[str, typer.Argument(metavar="ROWS", help="A CSV, TSV or Parquet file, also .gz; - reads a pipe.")],
    target: Annotated[str | None, typer.Option(help="The column that rows are to be conditioned on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what each column of a table is taken for, what would be done with it, and what looks wrong."""
    from cluster.cli.check import run_check

    run_check(rows, target, as_json=as_json)


@own_tables.command()
def init(
    rows: Annotated[str, typer.Argument(metavar="ROWS", help="A table of your own.")],
    target: Annotated[str | None, typer.Option(help="The column of classes; left out: there is none.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The study's file, a new one.")] = Path("study.yaml"),
    as_json: AsJson = False,
) -> None:
    """Write a study file for a table, to edit and hand to tune, compare or train."""
    from cluster.cli.init import run_init

    run_init(rows, target, out, as_json)


@own_tables.command()
def fit(
    rows: Annotated[str, typer.Argument(metavar="ROWS", help="CSV, TSV or Parquet, also in .gz; - is standard input.")],
    target: Annotated[str | None, typer.Option(help="The column of classes, or the number to predict.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model's file.")] = Path("model.safetensors"),
    method: Annotated[
        str, typer.Option(help="quantum, a yardstick's name, or auto: the best on kept-back rows.")
    ] = "quantum",
    agent: Annotated[
        str | None, typer.Option(help="One of `qsynth agents`, or a file; left out: constants, which measured better.")
    ] = None,
    qubits: Annotated[int, typer.Option(min=1, max=12, help="Of the circuit.")] = 4,
    iterations: Annotated[int, typer.Option(min=1, help="Of the GAN.")] = 200,
    seed: Annotated[int | None, typer.Option(help="Of everything random; left out: another each time.")] = None,
    report: Annotated[Path | None, typer.Option(help="HTML page on what the rows are worth.")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn a table of your own; `qsynth check` shows before what would be done with it."""
    from cluster.cli.fit import FitOptions, run_fit

    options = FitOptions(
        target=target,
        out=out,
        method=method,
        agent=agent,
        qubits=qubits,
        iterations=iterations,
        seed=seed,
        report=report,
    )
    run_fit(rows, options, as_json)


@own_tables.command()
def sample(
    model: Annotated[Path, typer.Argument(help="A model's file, from `qsynth fit`, `train` or `tune`.")],
    n: Annotated[int, typer.Option("--rows", "-n", help="How many rows.")] = 100,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A .csv, .tsv or .parquet file; left out: standard output.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, NAME=A,B or NAME=LOW..HIGH; repeated: all must hold. Of a source: label=CLASS."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the noise; left out: other rows each time.")] = None,
    beside: Annotated[
        str | None,
        typer.Option(help="Real rows: write them and synthetic ones with soft labels and weights, to train a QNN on."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw synthetic rows from a trained generator."""
    from cluster.cli.sample import SampleOptions, run_sample

    run_sample(model, SampleOptions(n=n, out=out, where=where or [], seed=seed, beside=beside), as_json)


@own_tables.command()
def report(
    real: Annotated[str, typer.Argument(metavar="REAL", help="A table of real rows; - is standard input.")],
    synthetic: Annotated[str, typer.Argument(metavar="OUT", help="A table of synthetic rows, with its columns.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page, one HTML file.")] = Path("report.html"),
    target: Annotated[str | None, typer.Option(help="The column that others are to predict; left out: none.")] = None,
    held_out: Annotated[
        str | None, typer.Option("--held-out", help="A table of real rows that the model did not see.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the samples and the classifiers.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Say what synthetic rows are worth beside real ones: a page with pictures, or --json."""
    from cluster.cli.report import run_report

    run_report(real, synthetic, out, target, held_out, seed, as_json=as_json)
