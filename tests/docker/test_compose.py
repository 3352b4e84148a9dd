"""What must hold for docker/compose.yaml, without an engine that could run it."""

from typing import Any

import pytest
import yaml

from tests.docker import DOCKER

COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def arguments(service: dict[str, Any]) -> list[str]:
    """A service's command, word by word."""
    command = service.get("command", [])
    return command.split() if isinstance(command, str) else command


RAY = [name for name, service in SERVICES.items() if arguments(service)[:2] == ["ray", "start"]]


def secret_names(service: dict[str, Any]) -> set[str]:
    return {secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", [])}


def test_ray_runs_in_a_head_and_workers() -> None:
    assert {"head", "worker", "worker-gpu", "worker-qpu"} == set(RAY)
    assert "profiles" not in SERVICES["worker"]
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]


@pytest.mark.parametrize("name", RAY)
def test_every_ray_service_asks_for_the_token(name: str) -> None:
    service = SERVICES[name]
    assert service["environment"]["RAY_AUTH_MODE"] == "token"
    assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
    assert "ray_token" in secret_names(service)
    assert "--metrics-export-port=8080" in arguments(service)


def published() -> list[tuple[str, str]]:
    return [(name, str(port)) for name, service in SERVICES.items() for port in service.get("ports", [])]


def test_something_is_published() -> None:
    assert {name for name, _ in published()} == {"head", "mlflow", "prometheus", "grafana"}


@pytest.mark.parametrize(("name", "port"), published())
def test_ports_are_published_on_loopback_only(name: str, port: str) -> None:
    assert port.startswith("127.0.0.1:"), f"{name} publishes {port}"
    assert SERVICES[name].get("network_mode") is None


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == "unless-stopped"
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(service)
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} == set(limits)


@pytest.mark.parametrize("name", SERVICES)
def test_the_owner_of_the_secrets_reads_them(name: str) -> None:
    service = SERVICES[name]
    if secret_names(service):
        assert service["user"].startswith("${QSYNTH_UID:?")
    assert secret_names(service) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_passwords_are_files_and_not_variables(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if any(word in variable.upper() for word in ("PASSWORD", "TOKEN", "SECRET", "KEY")):
            assert str(value).startswith("/run/secrets/"), f"{name} has {variable}={value}"
    assert not any(word in " ".join(arguments(SERVICES[name])).lower() for word in ("password", "token"))


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_watched_and_start_in_order(name: str) -> None:
    service = SERVICES[name]
    built = "build" in service
    assert built or "healthcheck" in service, "an image from elsewhere needs a health check here; ours has its own"
    for other, condition in service.get("depends_on", {}).items():
        assert other in SERVICES
        assert condition == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", SERVICES)
def test_images_have_an_exact_version(name: str) -> None:
    repository, _, tag = SERVICES[name]["image"].rpartition(":")
    assert repository
    assert any(letter.isdigit() for letter in tag)
    assert tag.count(".") >= 1


def test_secrets_come_from_files_that_git_ignores() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
    assert "secrets/" in (DOCKER / ".gitignore").read_text(encoding="utf-8").split()


def test_the_database_is_reached_by_mlflow_only() -> None:
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "store" in service["networks"]} == {"mlflow", "postgres"}
    assert SERVICES["postgres"]["networks"] == ["store"]


def test_prometheus_finds_every_ray_node() -> None:
    scraped = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yaml").read_text(encoding="utf-8"))["scrape_configs"]
    [names] = [discovery["names"] for [discovery] in (job["dns_sd_configs"] for job in scraped)]
    for name in RAY:
        assert names == SERVICES[name]["networks"]["cluster"]["aliases"]
