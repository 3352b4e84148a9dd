#!/usr/bin/env bash
# Makes the secrets that compose.yaml and the Kubernetes manifests mount, each a random file of mode 0600 in
# docker/secrets, and docker/.env with the ids of the user who may read them. What is there already stays as it is.
set -euo pipefail
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p secrets

make() {
    [[ -s "secrets/$1" ]] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$1"
}
for name in ray_token postgres_password mlflow_password mlflow_session_key grafana_password; do
    make "$name"
done
# What MLflow's client reads as ~/.mlflow/credentials.
printf '[mlflow]\nmlflow_tracking_username = admin\nmlflow_tracking_password = %s\n' \
    "$(cat secrets/mlflow_password)" > secrets/mlflow_credentials

# Containers run as the secrets' owner, and never as root.
uid="$(id -u)" gid="$(id -g)"
if [[ "$uid" == 0 ]]; then
    uid=1000 gid=1000
    chown -R "$uid:$gid" secrets
fi
[[ -e .env ]] || printf 'QSYNTH_UID=%s\nQSYNTH_GID=%s\n' "$uid" "$gid" > .env
