"""Studies as Ray jobs: one study, one or more attempts, each a job whose id tells both."""

import logging
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.machines.driver_slot import SLOT
from cluster.service.job import ENDED, NAME, STUDY, Job, job_in, job_of, tune_command
from cluster.service.service import Service
from cluster.system.environment import use_ray_token
from qsynth.errors import QsynthError, did_you_mean

if TYPE_CHECKING:  # torch and PennyLane take seconds to import, and only new studies need them
    from cluster.study.study import Study

AGENT_SECONDS = 60.0
STOP_SECONDS = 120.0
# A line of a study's own; those of Ray's own processes say where they are from in its C++.
LOGGED = re.compile(r"^(?!\s*\[[^]]*\] \S+\.cc:\d+: )(?=.*\S).*$", re.MULTILINE)


class Jobs:
    """The studies on a cluster. On its head they are found in their folders too, though Ray may have forgotten them."""

    def __init__(self, address: str | None) -> None:
        """Connect.

        Args:
            address: of the dashboard, e.g. ``http://127.0.0.1:8265``; left out: the service that runs here.

        Raises:
            QsynthError: there is none, it does not take the token, or does not answer and is no service's of this
                machine.
        """
        service = Service.load()
        if address is None and (service is None or service.dashboard is None):
            raise QsynthError("no service runs here; start one with `qsynth up`, or give --address http://HOST:8265")
        self.address = address or str(service and service.dashboard)
        local = service is not None and self.address == service.dashboard
        self.out = Path(service.out) if local and service and service.out else None
        use_ray_token(service.token if local and service else None)
        from ray.job_submission import JobSubmissionClient

        for name in ("ray.dashboard.modules.dashboard_sdk", "ray._private.runtime_env.packaging"):
            logging.getLogger(name).setLevel(logging.WARNING)  # each upload would be two lines
        self._silence: QsynthError | None = None
        self._ray: Any = None
        try:
            self._ray = JobSubmissionClient(self.address)
        except Exception as error:  # Ray raises anything from ConnectionError to RuntimeError
            self._silence = QsynthError(f"no Ray cluster answers at {self.address}: {_one_line(error)}")
            if not local:
                raise self._silence from None

    @property
    def _client(self) -> Any:
        """Ray's.

        Raises:
            QsynthError: Ray does not answer.
        """
        if self._silence is not None:
            raise QsynthError(f"{self._silence}; its supervisor, or `qsynth up`, starts it again")
        return self._ray

    @property
    def answers(self) -> bool:
        """Whether Ray does."""
        return self._silence is None

    def resources(self) -> dict[str, float]:
        """What all live nodes have together, name -> amount."""
        from ray.util.state import list_nodes

        totals: dict[str, float] = {}
        # Ray's own filter counts nodes that died as missing, and raises.
        nodes = list_nodes(self.address, limit=10_000, raise_on_missing_output=False)
        for node in nodes:
            if node.state == "ALIVE":
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

        _ = self._client
        sizes = plan_runners(study, self.resources())
        memory = human_bytes(sum(count * kind.memory for kind, count in sizes.items()))
        who = "the agent trains on" if study.search is None else f"search {study.search.name} has"
        seconds = study_seconds(study, sizes, plan_compilation(study, sum(sizes.values()))[0])
        return (
            f"{describe_sizes(sizes)} in about {memory}; {who} "
            f"{study.budget.agent_trials:,} trials of {study.iterations_per_run:,} GAN iterations; "
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
        """Begin a study under the name that :meth:`new_run` gave. On the head its folder is made at once, so that it is
        not lost while it waits.

        Raises:
            QsynthError: the cluster does not take it.
        """
        from cluster.study.run_directory import create, write_study

        about = {
            "qubits": str(study.trial.n_qubits),
            "ansatz": study.trial.ansatz,
            "engine": study.trial.engine.name,
            "trials": str(study.budget.agent_trials),
        }
        if self.out is not None:
            create(self.out, study, run)
            return self._begin(run, run, study.name, about, tune_command(study.name, "--resume", "--run", run))
        with tempfile.TemporaryDirectory() as folder:
            write_study(study, Path(folder))
            return self._begin(run, run, study.name, about, tune_command("study.yaml", "--run", run), folder)

    def resume(self, run: str) -> Job:
        """Go on with a run that was stopped or has failed, as a new attempt.

        Raises:
            QsynthError: no such run, its folder is gone, or it is active or complete.
        """
        jobs = self.list()
        found = self._found(run, jobs)
        attempts = [job for job in jobs if job.run == found.run]
        last = attempts[-1]
        if last.status not in ENDED:
            raise QsynthError(f"{last.run} must have ended to be resumed; {last.id} is {last.status}")
        if last.status == "SUCCEEDED":
            raise QsynthError(f"{last.run} is complete; see: qsynth logs {last.id}")
        folder = self.out and self.out / last.run
        if folder is not None and not (folder / "study.yaml").is_file():
            raise QsynthError(f"{last.run} has no folder {folder} to go on from; submit its study again")
        ids = {job.id for job in jobs}
        # A folder's attempts may be jobs that the cluster has forgotten.
        first = 1 + max([job.attempt for job in attempts] + ([job_in(folder).attempt] if folder is not None else []))
        number = next(number for number in range(first, first + 1000) if f"{last.run}-r{number}" not in ids)
        about = {key: value for key, value in last.about.items() if key not in ("job_name", NAME, STUDY, "attempt")}
        entrypoint = tune_command(last.study, "--resume", "--run", last.run)
        return self._begin(f"{last.run}-r{number}", last.run, last.study, about | {"attempt": str(number)}, entrypoint)

    def cut_off(self) -> list[str]:
        """Runs whose latest attempt was stopped: by a user, with the service, or by a crash; oldest first."""
        latest = {job.run: job for job in self.list()}
        return [run for run, job in latest.items() if job.status == "STOPPED"]

    def list(self) -> list[Job]:
        """All attempts at studies that the cluster knows, and runs that only their folders tell of; oldest first."""
        told = self._client.list_jobs() if self.answers else []
        found = [job for details in told if (job := job_of(details)) is not None]
        if self.out is not None:
            known = {job.run for job in found}
            folders = (path.parent for path in self.out.glob("*/study.yaml"))
            found += [job_in(folder) for folder in folders if folder.name not in known]
        found.sort(key=lambda job: (job.began or time.time(), job.id))
        line = [job.id for job in found if job.status == "PENDING"]
        return [replace(job, place=line.index(job.id) + 1) if job.id in line else job for job in found]

    def find(self, name: str) -> Job:
        """The job with an id, or the latest attempt at a run.

        Raises:
            QsynthError: neither.
        """
        return self._found(name, self.list())

    def _found(self, name: str, jobs: Sequence[Job]) -> Job:
        for job in reversed(jobs):
            if name in (job.id, job.run):
                return job
        known = {each for job in jobs for each in (job.id, job.run)}
        raise QsynthError(f"no study {name!r} on this cluster.{did_you_mean(name, known)}")

    def ask_to_stop(self, job: Job) -> None:
        """Ask a study to write a checkpoint and end; one that waits ends when its turn comes.

        Raises:
            QsynthError: it has ended before, or is no job of the cluster.
        """
        if job.status in ENDED:
            raise QsynthError(f"{job.id} has ended already: {job.status}")
        if not job.known:
            raise QsynthError(f"{job.id} runs, but not as a job of this cluster: stop it with Ctrl-C where it runs")
        self._client.stop_job(job.id)

    def stop(self, name: str) -> Job:
        """Ask a study to write a checkpoint and end; returns when it has, or at once if it waits for its turn.

        Raises:
            QsynthError: no such study, it has ended before, or has not ended in time.
        """
        job = self.find(name)
        self.ask_to_stop(job)
        if job.status == "PENDING":
            return job
        deadline = time.monotonic() + STOP_SECONDS
        while (job := self.find(job.id)).status not in ENDED:
            if time.monotonic() > deadline:
                raise QsynthError(f"{job.id} was asked to stop, but has not ended within {STOP_SECONDS:.0f} s")
            time.sleep(0.5)
        return job

    def logs(self, name: str) -> str:
        """All that a study has written so far."""
        job = self._logged(name)
        return str(self._client.get_job_logs(job.id))

    def follow(self, name: str) -> Iterator[str]:
        """What a study writes, from its beginning until it ends."""
        import asyncio

        job = self._logged(name)
        tail = self._client.tail_job_logs(job.id)
        loop = asyncio.new_event_loop()
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(tail))
                except StopAsyncIteration:
                    return
        finally:
            loop.close()

    def _logged(self, name: str) -> Job:
        job = self.find(name)
        if not job.known:
            raise QsynthError(
                f"{job.id} has no log on this cluster, which did not run it; its files: {self._folder(job)}"
            )
        return job

    def _folder(self, job: Job) -> Path | None:
        return self.out and self.out / job.run

    def last_line(self, job: Job) -> str:
        """The latest line that a study has written."""
        if not job.known or not self.answers:
            return f"its files: {self._folder(job)}"
        return latest_line(self._client.get_job_logs(job.id))

    def _begin(
        self, job: str, run: str, study: str, about: dict[str, str], entrypoint: str, folder: str | None = None
    ) -> Job:
        deadline = time.monotonic() + AGENT_SECONDS
        client = self._client
        slot = {"entrypoint_resources": {SLOT: 1}} if self.resources().get(SLOT) else {}
        while True:
            try:
                client.submit_job(
                    entrypoint=entrypoint,
                    submission_id=job,
                    runtime_env={"working_dir": folder} if folder else {},
                    metadata={"job_name": study, NAME: run, STUDY: study} | about,  # the dashboard shows job_name
                    **slot,
                )
                return self.find(job)
            except QsynthError:
                raise
            except Exception as error:
                # A head that has just come up takes jobs some seconds later.
                if "No available agent" not in str(error) or time.monotonic() > deadline:
                    raise QsynthError(f"the cluster did not take {job}: {_one_line(error)}") from None
                time.sleep(1)


def latest_line(log: str) -> str:
    """The latest line of a study's own in a log; empty where there is none."""
    lines = LOGGED.findall(log)
    return lines[-1].strip() if lines else ""


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
