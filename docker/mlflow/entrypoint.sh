#!/bin/sh
# Starts the MLflow server. Every secret is read from a file; none is an argument, or in the container's configuration.
set -eu
PGPASSWORD="$(cat /run/secrets/postgres_password)"
MLFLOW_AUTH_ADMIN_PASSWORD="$(cat /run/secrets/mlflow_password)"
MLFLOW_FLASK_SERVER_SECRET_KEY="$(cat /run/secrets/mlflow_session_key)"
export PGPASSWORD MLFLOW_AUTH_ADMIN_PASSWORD MLFLOW_FLASK_SERVER_SECRET_KEY

exec mlflow server --app-name basic-auth --host 0.0.0.0 --port 5000 --workers 2 \
    --backend-store-uri postgresql+psycopg2://mlflow@postgres/mlflow \
    --serve-artifacts --artifacts-destination /artifacts
