"""How each process of the service is started, and how one knows that it is up."""

import os
import sys
from pathlib import Path

from cluster.machines.private_ray import LOOPBACK_ONLY
from cluster.service.daemon import DaemonProcess, start, wait_for
from cluster.service.probes import LOOPBACK, answers
from cluster.service.service import MLFLOW, RAY, SUPERVISOR, Service, log_file
from cluster.system.environment import WORKER_ENVIRONMENT
from cluster.system.ray_folder import make_ray_folder, ray_folder

# Ray's port for agents is fixed, so a second Ray on a machine would take no jobs; 0 takes any.
RAY_START = (
    *(sys.executable, "-c", "from ray.scripts.scripts import main; main()"),
    *("start", "--block", "--dashboard-agent-listen-port=0"),
)
# Ray's own settings, of every node: authenticated, a job waits for its slot for as long as it takes, a stopped one may
# take its time to write a checkpoint and to tell MLflow, a dead node is noticed in 9 s instead of 64, a task that runs
# out of memory is not repeated for ever, and of tasks that are over only so many are remembered: each takes 4 KB.
RAY_ENVIRONMENT = WORKER_ENVIRONMENT | {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_JOB_START_TIMEOUT_SECONDS": "315360000",
    "RAY_JOB_STOP_WAIT_TIME_S": "90",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_task_oom_retries": "1",
    "RAY_task_events_max_num_task_in_gcs": "10000",
}


def start_role(service: Service, role: str) -> DaemonProcess:
    """Start a process of the service.

    Raises:
        QsynthError: there is no place for Ray's files.
    """
    if role == RAY:
        make_ray_folder()
    command, environment = _commands(service)[role]
    return start(command, environment, log_file(role))


def wait_for_role(service: Service, role: str) -> None:
    """Wait until a process of the service is up.

    Raises:
        QsynthError: it ended, or five minutes did not do.
    """
    wait_for(service.processes[role], lambda: is_up(service, role), log_file(role))


def is_up(service: Service, role: str) -> bool:
    """Whether a process of the service answers."""
    if role == MLFLOW:
        return answers(f"{service.tracking_uri}/health")
    if role == SUPERVISOR:
        return service.processes[role].lives
    if service.dashboard is None:
        return "Ray runtime started" in log_file(RAY).read_text(errors="replace")
    return answers(f"{service.dashboard}/api/version", service.token)


def _commands(service: Service) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Role -> what to call, in which environment."""
    found: dict[str, tuple[list[str], dict[str, str]]] = {
        SUPERVISOR: ([sys.executable, "-m", "cluster.service.supervisor"], {})
    }
    node = [f"--node-ip-address={service.host}", f"--temp-dir={ray_folder()}", *service.offer.options()]
    environment = _ray_environment(service)
    if service.dashboard is None or service.out is None or service.tracking_uri is None:
        return found | {RAY: ([*RAY_START, f"--address={service.cluster}", *node], environment)}
    found[MLFLOW] = (
        [sys.executable, "-m", "cluster.service.mlflow_server", service.out, _port(service.tracking_uri)],
        {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    found[RAY] = (
        [
            *(*RAY_START, "--head", f"--port={_port(service.cluster)}"),
            *(f"--dashboard-host={LOOPBACK}", f"--dashboard-port={_port(service.dashboard)}", *node),
        ],
        environment | {"QSYNTH_OUT": service.out, "MLFLOW_TRACKING_URI": service.tracking_uri},
    )
    return found


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _ray_environment(service: Service) -> dict[str, str]:
    # With 0, Ray binds to loopback alone whatever it is told; other machines can't join then.
    alone = LOOPBACK_ONLY if service.host == LOOPBACK else {}
    # Jobs call the qsynth that is beside this interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return RAY_ENVIRONMENT | alone | {"RAY_AUTH_TOKEN_PATH": str(service.token), "PATH": path}
