"""The environment of this process: the one place that writes to it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# One thread a process; set before torch is imported, in workers too. Populations that start together compile together,
# so none needs Inductor's own pool of helpers, which would outlive the compilation and cost memory in every worker.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
RAY_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # Ray's, in jobs only
RUN_KEY = "qsynth.run"  # what a job that `qsynth submit` made has in its metadata: its run


def prepare_process() -> None:
    """Set what must be in the environment before ray, torch or mlflow are imported."""
    set_defaults(WORKER_ENVIRONMENT)
    pass_by_proxies()
    # Explicit: when it is unset, Ray decides by whether the home directory holds a token, and may write one there. An
    # embedded Ray has a token of its own whatever this says.
    set_defaults(
        {
            "RAY_AUTH_MODE": "token" if _has_ray_token() else "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        }
    )


def pass_by_proxies() -> None:
    """Have HTTP clients reach this machine itself, though a proxy may lead to all others: it knows nobody here."""
    excepted = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    hosts = [host for host in map(str.strip, excepted) if host]
    if "*" not in hosts:
        hosts += [host for host in THIS_MACHINE if host not in hosts]
    os.environ |= dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(hosts))


def job_metadata() -> dict[str, str]:
    """What is noted about the Ray job that this process is; empty: it is none."""
    try:
        about = json.loads(os.environ.get(RAY_JOB, "{}")).get("metadata", {})
    except (ValueError, AttributeError):
        return {}
    return about if isinstance(about, dict) else {}


def own_job() -> str | None:
    """The id of the Ray job that this process is; None: it is none."""
    return job_metadata().get("job_submission_id")


def set_defaults(values: Mapping[str, str]) -> None:
    """Set variables, name -> value, that the environment does not have."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


def use_ray_token(file: Path | None) -> None:
    """Have Ray's clients in this process show the token in ``file``; None: the one that the user set, if any."""
    if file is not None:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(file)}
    elif _has_ray_token():
        os.environ["RAY_AUTH_MODE"] = "token"


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Variables, name -> value, for the time of a block; those of None are unset."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _has_ray_token() -> bool:
    return bool({"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ))
