"""What must be set in a process before it imports ray, torch or mlflow."""

import os

# One thread a process; set before torch is imported, in workers too. Populations that start together compile together,
# so none needs Inductor's own pool of helpers, which would outlive the compilation and cost memory in every worker.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}


def prepare_process() -> None:
    """Set what must be in the environment before ray, torch or mlflow are imported."""
    for name, value in WORKER_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Explicit: when it is unset, Ray decides by whether the home directory holds a token, and may write one there. An
    # embedded Ray has a token of its own whatever this says.
    has_token = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ)
    os.environ.setdefault("RAY_AUTH_MODE", "token" if has_token else "disabled")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
