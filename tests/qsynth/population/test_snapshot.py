"""A trial as a file: nothing is unpickled, and what is no snapshot is refused in one line."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from qsynth.errors import QsynthError
from qsynth.population.snapshot import FILE, Snapshot

SNAPSHOT = Snapshot(
    tensors={"generator": torch.tensor([1.0, -2.5]), "critic_adam.steps": torch.tensor(3.0)},
    hyperparameters={"lr_critic": 1e-3 / 3, "n_critic": 2.0},
    instance="gaussian#held-0:normal(0.00,0.20)",
    seed=(1 << 63) - 1,
    iteration=75,
)


def test_a_snapshot_survives_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "trial.safetensors"
    SNAPSHOT.save(path)
    found = Snapshot.load(path)
    assert sorted(found.tensors) == sorted(SNAPSHOT.tensors)
    assert all(torch.equal(found.tensors[name], value) for name, value in SNAPSHOT.tensors.items())
    assert (found.hyperparameters, found.instance) == (SNAPSHOT.hyperparameters, SNAPSHOT.instance)
    assert (found.seed, found.iteration) == (SNAPSHOT.seed, SNAPSHOT.iteration)
    assert [each.name for each in tmp_path.iterdir()] == ["trial.safetensors"]


def test_a_failed_save_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "trial.safetensors"
    SNAPSHOT.save(path)
    unserialisable = Snapshot(
        tensors=SNAPSHOT.tensors, hyperparameters={"lr_critic": torch.tensor(1.0)}, instance="x", seed=0, iteration=0
    )  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        unserialisable.save(path)
    assert Snapshot.load(path).iteration == 75


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "sprung")


def about(**changes: Any) -> dict[str, Any]:
    return {"hyperparameters": {}, "instance": "x", "seed": 0, "iteration": 0, **changes}


def refused(path: Path) -> str:
    with pytest.raises(QsynthError) as caught:
        Snapshot.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_pickles_are_refused_and_not_opened(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    for name, write in (("pickle", pickle.dump), ("torch", torch.save)):
        path = tmp_path / name
        with path.open("wb") as file:
            write({"generator": Trap(sprung)}, file)
        refused(path)
    assert not sprung.exists()


def test_files_that_are_something_else_are_refused(tmp_path: Path) -> None:
    contents = {"empty": b"", "random": bytes(range(256)) * 8, "json": b'{"seed": 1}', "huge": b"\xff" * 8 + b"{}"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name)
    assert "No such file" in refused(tmp_path / "missing")
    refused(tmp_path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "qsynth-snapshot-0", "about": json.dumps(about())}])
def test_tensors_of_another_format_are_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file(SNAPSHOT.tensors, path, metadata=metadata)
    assert f"must be a trial's snapshot ({FILE.format})" in refused(path)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "not json",
        "[]",
        "{}",
        "3",
        json.dumps(about(hyperparameters=[1])),
        json.dumps(about(hyperparameters={"lr_critic": "fast"})),
        json.dumps(about(seed="one")),
        json.dumps(about(iteration=None)),
        json.dumps(about(iteration=float("inf"))),
    ],
)
def test_a_damaged_description_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "damaged.safetensors"
    metadata = {"format": FILE.format} if text is None else {"format": FILE.format, "about": text}
    safetensors.torch.save_file(SNAPSHOT.tensors, path, metadata=metadata)
    assert "can't be read as a trial's snapshot" in refused(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trial.safetensors"
    SNAPSHOT.save(path)
    path.write_bytes(path.read_bytes()[:-3])
    refused(path)
