"""Ending the service on a machine: its studies first, whatever else of it still lives."""

import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cluster.service.daemon import end
from cluster.service.drivers import end_drivers
from cluster.service.job import ENDED, Job
from cluster.service.jobs import STOP_SECONDS, Jobs
from cluster.service.roles import start_role, wait_for_role
from cluster.service.service import MLFLOW, RAY, SUPERVISOR, Service, changing
from qsynth.errors import QsynthError


class Ended(NamedTuple):
    """What came to an end.

    Attributes:
        stopped: whether anything of a service lived.
        studies: jobs that were stopped.
        waiting: jobs that had not begun.
    """

    stopped: bool
    studies: list[str]
    waiting: list[str]


def bring_down() -> Ended:
    """Stop the studies, then the processes that were started here."""
    service = Service.kept()
    if service is None:
        return Ended(stopped=False, studies=[], waiting=[])
    with changing():
        service = Service.kept() or service
        lived = any(service.lives(role) for role in service.roles)
        end([service.processes[SUPERVISOR]] if SUPERVISOR in service.processes else [])
        jobs: list[Job] = []
        if lived and service.dashboard is not None:
            service = _listening(service)
            jobs = _stop_jobs() if service.lives(RAY) else []
            end_drivers(service.cluster, STOP_SECONDS)  # whom Ray did not end, as it has died or does not answer
            _close_records(service, {job.run for job in jobs})
        end(service.processes.values())
        service.forget()
    studies = [job.id for job in jobs if job.status != "PENDING"]
    return Ended(stopped=lived, studies=studies, waiting=[job.id for job in jobs if job.status == "PENDING"])


def _listening(service: Service) -> Service:
    """The service with its MLflow server up, if that is possible, to which studies can say that they end."""
    if service.lives(MLFLOW):
        return service
    end([service.processes[MLFLOW]])
    service = service.having({MLFLOW: start_role(service, MLFLOW)}).keep()
    with suppress(QsynthError):
        wait_for_role(service, MLFLOW)
    return service


def _stop_jobs() -> list[Job]:
    """Ask all studies that have not ended to do so, and wait for those that run; which these were."""
    try:
        jobs = Jobs(None)
        active = [job for job in jobs.list() if job.known and job.status not in ENDED]
        # First those that wait: they would begin as soon as others end.
        for job in sorted(active, key=lambda job: job.status != "PENDING"):
            with suppress(QsynthError):  # it has just ended
                jobs.ask_to_stop(job)
        deadline = time.monotonic() + STOP_SECONDS
        running = {job.id for job in active if job.status != "PENDING"}
        while running and time.monotonic() < deadline:
            running -= {job.id for job in jobs.list() if job.status in ENDED}
            time.sleep(0.5)
        return active
    except QsynthError:  # Ray lives, but does not answer
        return []


def _close_records(service: Service, runs: set[str]) -> None:
    """Tell MLflow what studies that were cut off could not, and that they have ended."""
    if service.out is None or not service.lives(MLFLOW):
        return
    from cluster.tracking.sync import sync

    for run in runs:
        with suppress(QsynthError):  # it had not begun, or is not kept here
            sync(Path(service.out) / run)
