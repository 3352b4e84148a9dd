"""A service of which something has died: what is left works, and what died is started again or ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from cluster.cli import service_commands
from cluster.service import daemon, down, driver_slots, drivers, roles, supervisor
from cluster.service.daemon import DaemonProcess, end
from cluster.service.down import bring_down
from cluster.service.driver_slots import DRIVER_BYTES, offer_with_drivers
from cluster.service.faults import faults
from cluster.service.job import Job
from cluster.service.jobs import Jobs
from cluster.service.service import MLFLOW, RAY, SUPERVISOR, Offer, Service
from cluster.service.supervisor import Supervisor
from cluster.service.up import start_head
from cluster.system.environment import RAY_JOB
from cluster.system.home import HOME, home
from qsynth.errors import FileError, QsynthError
from tests.cluster.running import free_ports

SLEEP = "import time; time.sleep(1000)"
WITH_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{SLEEP}']); {SLEEP}"


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """One whose processes only sleep; each has a child."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    monkeypatch.setattr(daemon, "STOP_SECONDS", 0.5)  # a child is killed after that: nobody asks it to end
    command: tuple[list[str], dict[str, str]] = ([sys.executable, "-c", WITH_CHILD], {})
    monkeypatch.setattr(roles, "_commands", lambda service: dict.fromkeys((MLFLOW, RAY, SUPERVISOR), command))
    monkeypatch.setattr(roles, "answers", lambda url, token=None: True)
    made = start_head(tmp_path / "runs", "127.0.0.1", *free_ports(3), Offer(cpus=1, qpus=1))
    for process in made.processes.values():
        wait(psutil.Process(process.pid).children)
    yield made
    bring_down()


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def killed(service: Service, *names: str) -> list[psutil.Process]:
    """Kill some processes of the service; the children that they leave behind."""
    left = []
    for role in names:
        process = psutil.Process(service.processes[role].pid)
        left += process.children()
        process.kill()
        wait(lambda role=role: not service.lives(role))
    return left


def test_up_starts_what_died_and_nothing_else(service: Service) -> None:
    left = killed(service, MLFLOW)
    found = Service.load()
    assert found is not None
    assert found.dead == [MLFLOW]
    assert found.records_uri == f"sqlite:///{service.out}/mlflow.db"
    assert faults() == ["mlflow of the service has died; do: qsynth up"]
    again = start_head(Path("elsewhere"), "127.0.0.1", 1, 1, 1, Offer(cpus=1, qpus=1))
    assert again.dead == []
    assert [again.processes[role] == service.processes[role] for role in (MLFLOW, RAY, SUPERVISOR)] == [
        False,
        True,
        True,
    ]
    assert (again.tracking_uri, again.records_uri) == (service.tracking_uri, service.tracking_uri)
    assert not runs(left[0])  # it may have held the port
    assert Service.load() == again


def test_the_supervisor_starts_what_died(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 0.0)
    killed(service, SUPERVISOR)
    own = DaemonProcess(os.getpid(), psutil.Process().create_time())
    service.having({SUPERVISOR: own}).keep()
    [left] = killed(service, RAY)
    looking = Supervisor()
    assert looking.look()
    now = Service.load()
    assert now is not None
    assert now.lives(RAY)
    assert now.processes[MLFLOW] == service.processes[MLFLOW]
    assert not runs(left)
    # What dies at once is not started over and over.
    killed(now, RAY)
    monkeypatch.setattr(supervisor, "LONGEST_WAIT", 1000.0)
    looking._waits[RAY] = 100.0
    assert looking.look()
    assert Service.load().dead == [RAY]  # type: ignore[union-attr]
    # One that was replaced ends.
    now.having({SUPERVISOR: service.processes[MLFLOW]}).keep()
    monkeypatch.setattr(supervisor, "SETTLE_SECONDS", 0.0)
    assert not looking.look()


def test_down_ends_studies_though_ray_has_died(service: Service, tmp_path: Path) -> None:
    """And what Ray left behind, and MLflow, which is started again so that studies can say that they end."""
    left = killed(service, RAY, MLFLOW)
    program = tmp_path / "qsynth"
    program.write_text(SLEEP)
    environment = os.environ | {"RAY_ADDRESS": service.cluster, RAY_JOB: "{}"}
    driver = subprocess.Popen([sys.executable, program, "tune", "x"], env=environment)
    other = subprocess.Popen([sys.executable, program, "tune", "x"], env=environment | {"RAY_ADDRESS": "127.0.0.1:1"})
    wait(lambda: all("qsynth" in psutil.Process(each.pid).cmdline()[1] for each in (driver, other)))
    assert bring_down() == (True, [], [])
    driver.wait(timeout=5)
    assert other.poll() is None
    other.kill()
    other.wait()
    assert not any(map(runs, left))
    assert Service.kept() is None


def test_a_study_that_does_not_end_is_killed(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "STOP_SECONDS", 0.5)
    killed(service, RAY)
    driver = deaf_driver(service, tmp_path)
    bring_down()
    driver.wait(timeout=5)


def deaf_driver(service: Service, folder: Path) -> "subprocess.Popen[bytes]":
    """A study's process that takes no hint, as one does that waits for a Ray which has died meanwhile."""
    program = folder / "qsynth"
    program.write_text(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('up', 'w'); {SLEEP}")
    environment = os.environ | {"RAY_ADDRESS": service.cluster, RAY_JOB: "{}"}
    driver = subprocess.Popen([sys.executable, program, "tune", "x"], env=environment, cwd=folder)
    wait((folder / "up").exists)
    return driver


@pytest.mark.parametrize("who", ["supervisor", "up"])
def test_studies_of_a_ray_that_has_died_end_before_another_one_starts(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(drivers, "LEFT_SECONDS", 0.5)
    driver = deaf_driver(service, tmp_path)
    killed(service, RAY, SUPERVISOR)
    service.having({SUPERVISOR: DaemonProcess(os.getpid(), psutil.Process().create_time())}).keep()
    if who == "supervisor":
        assert Supervisor().look()
    else:
        start_head(tmp_path, "127.0.0.1", 1, 1, 1, Offer(cpus=1, qpus=1))
    assert driver.wait(timeout=5) == -signal.SIGKILL
    now = Service.load()
    assert now is not None
    assert now.dead == []
    now.having({SUPERVISOR: service.processes[SUPERVISOR]}).keep()


def test_runs_are_found_though_ray_does_not_answer(service: Service) -> None:
    folder = Path(str(service.out)) / "mine-1"
    folder.mkdir()
    (folder / "study.yaml").write_text("name: mine\n")
    jobs = Jobs(None)
    assert not jobs.answers
    assert [(job.run, job.status, job.known) for job in jobs.list()] == [("mine-1", "STOPPED", False)]
    assert str(folder) in jobs.last_line(jobs.find("mine"[:4] + "-1"))
    with pytest.raises(QsynthError, match=r"no study 'nothing' on this cluster"):
        jobs.resume("nothing")
    with pytest.raises(QsynthError, match=r"no Ray cluster answers .*`qsynth up`"):
        jobs.resume("mine-1")
    with pytest.raises(QsynthError, match="mine-1 has no log on this cluster"):
        jobs.logs("mine-1")


def test_drivers_take_memory_from_populations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 20 * DRIVER_BYTES / 0.7}))
    offer = Offer(cpus=None, qpus=1)
    monkeypatch.setattr(driver_slots.os, "cpu_count", lambda: 2)
    assert offer_with_drivers(offer)[2:] == (2, 18 * DRIVER_BYTES)
    monkeypatch.setattr(driver_slots.os, "cpu_count", lambda: 64)
    assert offer_with_drivers(offer)[2:] == (5, 15 * DRIVER_BYTES)
    assert offer_with_drivers(offer._replace(cpus=0)).drivers == 5
    assert offer_with_drivers(offer._replace(drivers=19))[2:] == (19, DRIVER_BYTES)
    with pytest.raises(QsynthError, match=r"--drivers must be at most 19, as each takes 800 MiB .*; got 20"):
        offer_with_drivers(offer._replace(drivers=20))
    assert '"qsynth_driver": 5' in offer_with_drivers(offer).options()[0]


def test_what_the_dead_left_behind_is_ended(tmp_path: Path) -> None:
    leader = subprocess.Popen([sys.executable, "-c", WITH_CHILD], start_new_session=True)
    process = psutil.Process(leader.pid)
    wait(process.children)
    [child] = process.children()
    dead = DaemonProcess(leader.pid, process.create_time())
    leader.kill()
    leader.wait()
    assert child.is_running()
    end([dead])
    assert not runs(child)


def test_names_of_jobs_are_printed_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a-study-with-a-very-long-name-20261129-120405"
    about = {"id": f"{name}-r2", "run": name, "study": "a-study-with-a-very-long-name", "status": "PENDING"}
    job = Job(**about, began=1.0, ended=None, message="", about={}, place=12)  # type: ignore[arg-type]
    monkeypatch.setattr(service_commands, "Jobs", lambda address: SimpleNamespace(answers=True, list=lambda: [job]))
    monkeypatch.setenv("COLUMNS", "60")
    service_commands.run_jobs(None, as_json=False)
    [_, line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{name}-r2  ")
    assert "PENDING (12 in line)" in line


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_leaves_the_service_alive(
    service: Service, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """With the clock, the beginning of every process seems to move."""
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) + 3600 * hours)
    assert Service.load() == service
    assert service.dead == []


def test_another_process_with_the_id_of_one_that_died_is_not_it() -> None:
    mine = DaemonProcess.of(os.getpid())
    assert mine.lives
    assert not mine._replace(began=mine.began - 2).lives
    assert not mine._replace(boot="another").lives
    earlier = DaemonProcess(os.getpid(), psutil.Process().create_time())  # as it was noted without the boot's id
    assert earlier.lives
    assert not earlier._replace(began=earlier.began - 2).lives


@pytest.mark.parametrize("content", ["{", "[]", '{"processes": {"ray": [-1, 1.0]}, "cluster": "127.0.0.1:6379"}'])
def test_a_damaged_file_of_the_service_is_named(service: Service, content: str) -> None:
    """And not taken for none, as its processes may run; its supervisor waits until it is mended."""
    file = home() / "service.json"
    whole = file.read_text()
    file.write_text(content)
    try:
        with pytest.raises(FileError, match=r"service\.json must"):
            Service.load()
        assert Supervisor().look()
    finally:
        file.write_text(whole)
    assert Service.load() == service
