"""Studies as Ray jobs: one study, one or more attempts, each a job whose id tells both."""

import logging
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.service.service import Service
from cluster.system.environment import use_ray_token
from qsynth.errors import QsynthError, did_you_mean

if TYPE_CHECKING:  # torch and PennyLane take seconds to import, and only new studies need them
    from cluster.study.study import Study

ENDED = ("STOPPED", "SUCCEEDED", "FAILED")
NAME, STUDY = "qsynth.run", "qsynth.study"
AGENT_SECONDS = 60.0
STOP_SECONDS = 90.0
# A line of a study's own; those of Ray's own processes say where they are from in its C++.
LOGGED = re.compile(r"^(?!\s*\[[^]]*\] \S+\.cc:\d+: )(?=.*\S).*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt at a study.

    Attributes:
        id: the job's; that of a later attempt ends in ``-r2``, ``-r3``, ...
        run: the run's name, which all attempts share.
        study: the study's name.
        status: PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED.
        began: seconds since the epoch; None while it is pending.
        ended: likewise; None while it is not.
        message: of Ray, e.g. why it failed.
        about: what the submitter noted about it.
    """

    id: str
    run: str
    study: str
    status: str
    began: float | None
    ended: float | None
    message: str
    about: dict[str, str]


class Jobs:
    """The studies on a cluster."""

    def __init__(self, address: str | None) -> None:
        """Connect.

        Args:
            address: of the dashboard, e.g. ``http://127.0.0.1:8265``; left out: the service that runs here.

        Raises:
            QsynthError: there is none, it does not answer, or does not take the token.
        """
        service = Service.load()
        if address is None and (service is None or service.dashboard is None):
            raise QsynthError("no service runs here; start one with `qsynth up`, or give --address http://HOST:8265")
        self.address = address or str(service and service.dashboard)
        use_ray_token(service.token if service is not None and self.address == service.dashboard else None)
        from ray.job_submission import JobSubmissionClient

        for name in ("ray.dashboard.modules.dashboard_sdk", "ray._private.runtime_env.packaging"):
            logging.getLogger(name).setLevel(logging.WARNING)  # each upload would be two lines
        try:
            self._client = JobSubmissionClient(self.address)
        except Exception as error:  # Ray raises anything from ConnectionError to RuntimeError
            raise QsynthError(f"no Ray cluster answers at {self.address}: {_one_line(error)}") from None

    def resources(self) -> dict[str, float]:
        """What all live nodes have together, name -> amount."""
        from ray.util.state import list_nodes

        totals: dict[str, float] = {}
        for node in list_nodes(self.address, filters=[("state", "=", "ALIVE")], limit=10_000):
            for name, amount in node.resources_total.items():
                totals[name] = totals.get(name, 0) + amount
        return totals

    def check(self, study: "Study") -> str:
        """Whether the cluster can run a study; how, in describe.

        Raises:
            QsynthError: it can't.
        """
        from cluster.machines.estimate import describe_seconds, study_seconds
        from cluster.machines.session import plan_compilation, plan_runners
        from cluster.study.placement import describe_sizes
        from qsynth.circuits.statevector import human_bytes

        cluster = self.resources()
        sizes = plan_runners(study, cluster)
        memory = human_bytes(sum(count * kind.memory for kind, count in sizes.items()))
        trials = study.budget.agent_trials
        seconds = study_seconds(study, sizes, plan_compilation(study, sum(sizes.values()))[0])
        return (
            f"{describe_sizes(sizes)} in about {memory}; the agent trains on "
            f"{trials:,} trials of {study.iterations_per_run:,} GAN iterations; "
            f"{describe_seconds(seconds)} on CPUs like this one"
        )

    def new_run(self, study: "Study") -> str:
        """A name for a run of a study that no other has."""
        from cluster.study.run_directory import new_name

        run = new_name(study.name)
        taken = {job.run for job in self.list()}
        return next(
            name for number in range(1, 1000) if (name := f"{run}-{number}" if number > 1 else run) not in taken
        )

    def submit(self, study: "Study", run: str) -> Job:
        """Begin a study under the name that :meth:`new_run` gave.

        Raises:
            QsynthError: the cluster does not take it.
        """
        from cluster.study.run_directory import write_study

        about = {
            "qubits": str(study.trial.n_qubits),
            "ansatz": study.trial.ansatz,
            "engine": study.trial.engine.name,
            "trials": str(study.budget.agent_trials),
        }
        with tempfile.TemporaryDirectory() as folder:
            write_study(study, Path(folder))
            return self._begin(run, run, study.name, about, f"qsynth tune study.yaml --run {run}", folder)

    def resume(self, run: str) -> Job:
        """Go on with a run that was stopped or has failed, as a new attempt.

        Raises:
            QsynthError: no such run, or it is active or complete.
        """
        attempts = [job for job in self.list() if job.run == self.find(run).run]
        last = attempts[-1]
        if last.status not in ENDED:
            raise QsynthError(f"{last.run} must have ended to be resumed; {last.id} is {last.status}")
        if last.status == "SUCCEEDED":
            raise QsynthError(f"{last.run} is complete; see: qsynth logs {last.id}")
        number = 1 + max(int(job.about.get("attempt", "1")) for job in attempts)
        about = {key: value for key, value in last.about.items() if key not in ("job_name", NAME, STUDY, "attempt")}
        entrypoint = f"qsynth tune {last.study} --resume --run {last.run}"
        return self._begin(f"{last.run}-r{number}", last.run, last.study, about | {"attempt": str(number)}, entrypoint)

    def list(self) -> list[Job]:
        """All attempts at studies that the cluster knows, oldest first."""
        found = [_job(details) for details in self._client.list_jobs() if {NAME, STUDY} <= set(details.metadata or {})]
        return sorted(found, key=lambda job: (job.began or time.time(), job.id))

    def find(self, name: str) -> Job:
        """The job with an id, or the latest attempt at a run.

        Raises:
            QsynthError: neither.
        """
        jobs = self.list()
        for job in reversed(jobs):
            if name in (job.id, job.run):
                return job
        known = {each for job in jobs for each in (job.id, job.run)}
        raise QsynthError(f"no study {name!r} on this cluster.{did_you_mean(name, known)}")

    def stop(self, name: str) -> Job:
        """Ask a study to write a checkpoint and end; returns when it has.

        Raises:
            QsynthError: no such study, it has ended before, or has not ended in time.
        """
        job = self.find(name)
        if job.status in ENDED:
            raise QsynthError(f"{job.id} has ended already: {job.status}")
        self._client.stop_job(job.id)
        deadline = time.monotonic() + STOP_SECONDS
        while (job := self.find(job.id)).status not in ENDED:
            if time.monotonic() > deadline:
                raise QsynthError(f"{job.id} was asked to stop, but has not ended within {STOP_SECONDS:.0f} s")
            time.sleep(0.5)
        return job

    def logs(self, name: str) -> str:
        """All that a study has written so far."""
        return str(self._client.get_job_logs(self.find(name).id))

    def follow(self, name: str) -> Iterator[str]:
        """What a study writes, from its beginning until it ends."""
        import asyncio

        tail = self._client.tail_job_logs(self.find(name).id)
        loop = asyncio.new_event_loop()
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(tail))
                except StopAsyncIteration:
                    return
        finally:
            loop.close()

    def last_line(self, job: Job) -> str:
        """The latest line that a study has written."""
        return latest_line(self._client.get_job_logs(job.id))

    def _begin(
        self, job: str, run: str, study: str, about: dict[str, str], entrypoint: str, folder: str | None = None
    ) -> Job:
        deadline = time.monotonic() + AGENT_SECONDS
        while True:
            try:
                self._client.submit_job(
                    entrypoint=entrypoint,
                    submission_id=job,
                    runtime_env={"working_dir": folder} if folder else {},
                    metadata={"job_name": study, NAME: run, STUDY: study} | about,  # the dashboard shows job_name
                )
                return self.find(job)
            except Exception as error:
                # A head that has just come up takes jobs some seconds later.
                if "No available agent" not in str(error) or time.monotonic() > deadline:
                    raise QsynthError(f"the cluster did not take {job}: {_one_line(error)}") from None
                time.sleep(1)


def latest_line(log: str) -> str:
    """The latest line of a study's own in a log; empty where there is none."""
    lines = LOGGED.findall(log)
    return lines[-1].strip() if lines else ""


def _job(details: Any) -> Job:
    about: dict[str, str] = dict(details.metadata)
    return Job(
        id=details.submission_id,
        run=about[NAME],
        study=about[STUDY],
        status=str(getattr(details.status, "value", details.status)),
        began=details.start_time / 1000 if details.start_time else None,
        ended=details.end_time / 1000 if details.end_time else None,
        message=details.message or "",
        about=about,
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
