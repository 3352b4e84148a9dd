#!/bin/sh
# Starts the MLflow server. Every secret is read from a file; none is an argument, or in the container's configuration.
set -eu
secrets="${SECRETS_DIR:-/run/secrets}"
PGPASSWORD="$(cat "$secrets/postgres_password")"
MLFLOW_AUTH_ADMIN_PASSWORD="$(cat "$secrets/mlflow_password")"
MLFLOW_FLASK_SERVER_SECRET_KEY="$(cat "$secrets/mlflow_session_key")"
export PGPASSWORD MLFLOW_AUTH_ADMIN_PASSWORD MLFLOW_FLASK_SERVER_SECRET_KEY

exec mlflow server --app-name basic-auth --host 0.0.0.0 --port 5000 \
    --backend-store-uri postgresql://mlflow@postgres/mlflow \
    --serve-artifacts --artifacts-destination "${ARTIFACTS_DIR:-/artifacts}" \
    --allowed-hosts "${ALLOWED_HOSTS:-mlflow:5000,localhost:5000,127.0.0.1:5000}"
