"""MLflow's server with the service's token before it: ``python -m cluster.service.mlflow_server OUT PORT``."""

import sys
from pathlib import Path

from cluster.service.probes import LOOPBACK
from cluster.service.token_gate import TokenGate
from cluster.system.environment import set_defaults
from cluster.system.home import home
from cluster.system.sqlite_file import make_database, sqlite_uri


def serve(out: Path, port: int) -> None:
    """Serve the store in ``out`` on loopback until the process is ended."""
    import uvicorn
    from mlflow import MlflowClient
    from mlflow.server import (
        ARTIFACT_ROOT_ENV_VAR,
        ARTIFACTS_DESTINATION_ENV_VAR,
        BACKEND_STORE_URI_ENV_VAR,
        SERVE_ARTIFACTS_ENV_VAR,
    )
    from mlflow.server.handlers import initialize_backend_stores

    store, root = sqlite_uri(out / "mlflow.db"), "mlflow-artifacts:/"
    # As `mlflow server` tells its workers, of which this process is the only one.
    set_defaults(
        {
            BACKEND_STORE_URI_ENV_VAR: store,
            ARTIFACT_ROOT_ENV_VAR: root,
            ARTIFACTS_DESTINATION_ENV_VAR: str(out / "mlartifacts"),
            SERVE_ARTIFACTS_ENV_VAR: "true",
        }
    )
    make_database(out / "mlflow.db", MlflowClient)
    initialize_backend_stores(store, store, root)
    from mlflow.server.fastapi_app import app

    uvicorn.run(TokenGate(app, home() / "token"), host=LOOPBACK, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
