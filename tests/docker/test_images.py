"""What must hold for docker/Dockerfile, its exact versions, and the secrets: none in the tree."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docker import DOCKER, ROOT

DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
PINS = {
    canonicalize_name(line.partition("==")[0]): line.partition("==")[2]
    for line in (DOCKER / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
}
SECRETS = {"ray_token", "postgres_password", "mlflow_password", "mlflow_session_key", "grafana_password"}


def stages() -> dict[str, str]:
    """Stage -> its text, with the line that starts it."""
    texts = re.split(r"(?m)^(?=FROM )", DOCKERFILE)[1:]
    return {text.splitlines()[0].split(" AS ")[1]: text for text in texts}


@pytest.mark.parametrize("target", ["cpu", "gpu", "mlflow"])
def test_an_image_does_not_run_as_root(target: str) -> None:
    text = stages()[target]
    assert re.findall(r"(?m)^USER (.+)$", text)[-1] == "1000:1000"
    base = text.split()[1]
    assert "HEALTHCHECK" in text + stages().get(base, "")


def test_the_base_image_has_an_exact_version() -> None:
    bases = {text.split()[1] for text in stages().values()}
    assert bases == {"${PYTHON_IMAGE}", "build", "node"}
    assert re.search(r"(?m)^ARG PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+$", DOCKERFILE)


def test_what_is_installed_has_exact_versions() -> None:
    installs = re.findall(r"pip (?:install|wheel) [^&\n]+", DOCKERFILE)
    assert len(installs) > 5
    assert all("constraints.txt" in install or "--no-deps" in install for install in installs)
    assert all(re.fullmatch(r"[\w.!+]+", version) for version in PINS.values())


@pytest.mark.parametrize("extras", [(), ("gpu",)], ids=str)
def test_every_dependency_is_pinned_within_its_range(extras: tuple[str, ...]) -> None:
    printed = subprocess.run(
        [sys.executable, str(DOCKER / "requirements.py"), *extras], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")[:-1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["dependencies"]) <= set(printed)
    assert len(printed) > len(project["dependencies"]) or not extras
    for requirement in map(Requirement, printed):
        assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)]), requirement


def test_the_build_sees_no_more_than_it_copies() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copies = re.findall(r"(?m)^COPY (?!--from)(.+)$", DOCKERFILE)
    copied = {source for copy in copies for source in copy.split()[:-1]}
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


def test_secrets_are_made_private_different_and_once(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((DOCKER / "secrets.sh").read_bytes())

    def make() -> dict[str, str]:
        subprocess.run(["bash", str(script)], check=True, capture_output=True, timeout=30)
        return {path.name: path.read_text(encoding="ascii") for path in (tmp_path / "secrets").iterdir()}

    made = make()
    assert set(made) == SECRETS | {"mlflow_credentials"}
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch("[0-9a-f]{64}", made[name]) for name in SECRETS)
    assert made["mlflow_password"] in made["mlflow_credentials"]
    for path in [tmp_path / "secrets", *(tmp_path / "secrets").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    settings = (tmp_path / ".env").read_text(encoding="ascii")
    assert set(settings.split()) & {"QSYNTH_UID=0", "QSYNTH_GID=0"} == set()
    assert not any(value in settings for value in made.values())
    assert make() == made


def test_no_secret_is_in_the_tree() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "docker"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert DOCKER / "compose.yaml" in files
    assert not [path for path in files if "secrets" in path.relative_to(DOCKER).parts or path.name == ".env"]
    made = [path for path in (DOCKER / "secrets").glob("*") if os.access(path, os.R_OK)]
    values = [path.read_text(encoding="ascii") for path in made]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b[0-9a-f]{32,}\b", text), f"{path.name} holds what looks like a key"
        assert "PRIVATE KEY" not in text
        assert not any(value in text for value in values)
