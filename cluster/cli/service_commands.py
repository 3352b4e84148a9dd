"""What the commands of the service do."""

import os
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.cli.output import emit
from cluster.service.down import bring_down
from cluster.service.job import Job
from cluster.service.jobs import Jobs
from cluster.service.service import Offer, Service
from cluster.service.up import join, start_head
from cluster.tracking.leaderboard import leaderboard
from cluster.tracking.scheduled_run import create_scheduled_run, delete_scheduled_run
from cluster.tracking.store import Location
from qsynth.errors import QsynthError
from qsynth.files.csv_file import write_csv

WIDEST = 10_000  # characters of a table


def run_up(
    out: Path,
    head: str | None,
    token: Path | None,
    host: str,
    ports: tuple[int, int, int],
    offer: Offer,
    as_json: bool,
) -> None:
    """``qsynth up``."""
    if head is None and token is not None:
        raise QsynthError("--token must be left out without --join; the head makes its own")
    if head is not None and offer.drivers:
        raise QsynthError("--drivers must be left out with --join; studies are driven on the head")
    service = start_head(out, host, *ports, offer) if head is None else join(head, token, offer)
    if as_json:
        emit(asdict(service) | {"token": str(service.token)})
        return
    if service.dashboard is None:
        print(f"worker of {service.cluster}")
        return
    print(f"dashboard  {service.dashboard}")
    print(f"MLflow     {service.tracking_uri}")
    print(f"login      both ask for what is in {service.token}; MLflow as the password of any user")
    print(f"runs       {service.out}")
    print(f"workers    qsynth up --join {service.cluster} --token FILE")


def run_down(as_json: bool) -> None:
    """``qsynth down``."""
    ended = bring_down()
    if as_json:
        emit(ended._asdict())
        return
    for job in ended.studies:
        print(f"stopped {job}")
    for job in ended.waiting:
        print(f"{job} had not begun")
    if ended.studies or ended.waiting:
        print("after `qsynth up`, go on with them: qsynth resume --all")
    print("the service has ended" if ended.stopped else "no service runs here")


def run_submit(name: str, address: str | None, as_json: bool) -> None:
    """``qsynth submit``."""
    from cluster.study.study import load_study

    study = load_study(name)
    study.check_data()
    jobs = Jobs(address)
    plan = jobs.check(study)
    if not as_json:
        print(plan)
        if study.hardware is not None:
            print(f"at the end on {study.hardware.check(study.trial)}")
    run = jobs.new_run(study)
    page = _announced(run)
    try:
        job = jobs.submit(study, run)
    except QsynthError:
        if page is not None:
            delete_scheduled_run(page)
        raise
    if as_json:
        emit(asdict(job) | {"plan": plan, "mlflow": None if page is None else str(page)})
        return
    watch = shlex.join(["qsynth", "logs", "-f", job.run])
    waits = f", {job.place} in the line of those that wait" if job.place else ""
    print(f"submitted {job.run}{waits}; watch it: {watch}, or {jobs.address}/#/jobs/{job.id}")
    if page is not None:
        print(f"MLflow: {page}")


def _announced(run: str) -> Location | None:
    """The study's page in MLflow; None where no store is known here, or it does not answer: its job will make one."""
    service = Service.load()
    uri = os.environ.get("MLFLOW_TRACKING_URI") or (service and service.records_uri)
    if not uri:
        return None
    try:
        return create_scheduled_run(run, uri)
    except QsynthError:
        raise
    except Exception as error:  # MLflow's, requests' or SQLAlchemy's
        print(f"MLflow at {uri} does not answer ({type(error).__name__}); the job will try again", file=sys.stderr)
        return None


def run_jobs(address: str | None, as_json: bool) -> None:
    """``qsynth jobs``."""
    jobs = Jobs(address)
    found = jobs.list()
    if as_json:
        emit([asdict(job) for job in found])
        return
    if not jobs.answers:
        print("Ray does not answer; these are the runs on disk. Start it again with: qsynth up", file=sys.stderr)
    table = Table(box=None, pad_edge=False)
    for heading in ("job", "study", "status", "began", "took"):
        table.add_column(heading, no_wrap=True)
    for job in found:
        table.add_row(job.id, job.study, _status(job), _when(job.began), _took(job))
    console = Console()
    # Names are there to be copied: a narrow terminal breaks lines, and nothing is cut.
    whole = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    Console(width=max(console.width, whole)).print(table)


def run_status(name: str, address: str | None, as_json: bool) -> None:
    """``qsynth status``."""
    jobs = Jobs(address)
    job = jobs.find(name)
    last = jobs.last_line(job)
    if as_json:
        emit(asdict(job) | {"last_line": last})
        return
    print(f"{job.id}: {_status(job)}, began {_when(job.began)}, {_took(job)}")
    if last:
        print(last)
    if job.status == "FAILED":
        print(job.message)


def run_logs(name: str, follow: bool, address: str | None, as_json: bool) -> None:
    """``qsynth logs``."""
    jobs = Jobs(address)
    if as_json:
        if follow:
            raise QsynthError("--json must be left out with --follow, whose output has no end")
        emit({"log": jobs.logs(name)})
        return
    for text in jobs.follow(name) if follow else [jobs.logs(name)]:
        sys.stdout.write(text)
        sys.stdout.flush()


def run_stop(name: str, address: str | None, as_json: bool) -> None:
    """``qsynth stop``."""
    job = Jobs(address).stop(name)
    then = (
        "it waits, and ends when its turn comes" if job.status == "PENDING" else f"go on with: qsynth resume {job.run}"
    )
    _tell(job, as_json, then)


def run_resume(name: str | None, every: bool, address: str | None, as_json: bool) -> None:
    """``qsynth resume``."""
    if every == (name is not None):
        raise QsynthError("give either a RUN, as `qsynth jobs` shows it, or --all")
    jobs = Jobs(address)
    if name is not None:
        job = jobs.resume(name)
        _tell(job, as_json, f"watch it: qsynth logs -f {job.run}")
        return
    if not jobs.answers:
        raise QsynthError("Ray does not answer; start it again with: qsynth up")
    resumed = []
    for run in jobs.cut_off():
        try:
            resumed.append(jobs.resume(run))
        except QsynthError as error:  # its folder is gone, or somebody was faster
            print(f"left out: {error}", file=sys.stderr)
            continue
        if not as_json:
            _tell(resumed[-1], as_json, f"watch it: qsynth logs -f {run}")
    if as_json:
        emit([asdict(job) for job in resumed])
    elif not resumed:
        print("nothing was stopped")


def run_results(runs: list[str], csv: Path | None, tracking_uri: str | None, as_json: bool) -> None:
    """``qsynth results``."""
    service = Service.load()
    uri = tracking_uri or (service and service.records_uri)
    if not uri:
        raise QsynthError("no service runs here; give --tracking-uri, e.g. sqlite:///qsynth-runs/mlflow.db")
    frame = leaderboard(uri, runs)
    if csv is not None:
        write_csv(frame, csv)
    if as_json:
        emit(frame.astype(object).where(frame.notna(), None).to_dict(orient="records"))
        return
    table = Table(box=None, pad_edge=False)
    for column in frame.columns:
        table.add_column(str(column), justify="left" if frame[column].dtype == object else "right")
    for row in frame.itertuples(index=False):
        shown = ("" if value != value else f"{value:.3f}" if isinstance(value, float) else str(value) for value in row)
        table.add_row(*map(escape, shown))
    Console().print(table)


def _tell(job: Job, as_json: bool, then: str) -> None:
    if as_json:
        emit(asdict(job))
    else:
        print(f"{job.id}: {_status(job)}; {then}")


def _status(job: Job) -> str:
    return job.status if job.place is None else f"{job.status} ({job.place} in line)"


def _when(seconds: float | None) -> str:
    return "not yet" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _took(job: Job) -> str:
    if job.began is None:
        return ""
    minutes, seconds = divmod(round((job.ended or time.time()) - job.began), 60)
    return f"{minutes} min {seconds} s"
