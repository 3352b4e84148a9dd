"""One class a cause, so that nobody need read a message to tell causes apart."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch

from cluster.study.study import Study, changed, load_study
from qsynth import errors
from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.config import parse
from qsynth.data.scaling import Scaling
from qsynth.data.sources import write_rows
from qsynth.data.tabular import CsvData, TableData
from qsynth.execution.compilation import CACHE, cache_folder
from qsynth.execution.place import check_place
from qsynth.files.yaml_file import read_yaml
from qsynth.population.trial import TrialConfig
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.tuned_synthesizer import TunedSynthesizer
from tests.cluster.conftest import TINY


def rows(text: str) -> Callable[[Path], Any]:
    """Reading a CSV file with these lines."""

    def attempt(folder: Path) -> Any:
        (folder / "rows.csv").write_text(text)
        return CsvData(path=str(folder / "rows.csv"), label="y").check()

    return attempt


def own_ansatz(layer: Callable[..., Any]) -> Callable[[Path], Any]:
    return lambda _: StatevectorEngine(Ansatz(name="own", layer=layer, n_layer_weights=lambda n: n), 2, 1)


def device(name: str, **options: Any) -> PennyLaneEngine:
    return TrialConfig(n_qubits=2, engine={"name": name, **options}).circuit()  # type: ignore[return-value]


def text_as(suffix: str, read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Reading a file of some other kind."""

    def attempt(folder: Path) -> Any:
        path = folder / f"file{suffix}"
        path.write_text("- neither\n- nor\n")
        return read(path)

    return attempt


def tiny(**changes: Any) -> Study:
    return changed(parse(Study, TINY, source="tiny"), changes)


CAUSES: dict[str, tuple[type[errors.QsynthError], Callable[[Path], Any]]] = {
    "an unknown setting": (errors.StudyError, lambda _: tiny(sed=1)),
    "an unknown preset": (errors.FileError, lambda _: load_study("iriss")),
    "an unknown table": (errors.StudyError, lambda _: tiny(**{"data.name": "irs"})),
    "a bad hyperparameter": (errors.StudyError, lambda _: tiny(**{"trial.defaults.beta1": 2})),
    "too many features": (errors.StudyError, lambda _: tiny(**{"trial.n_qubits": 1}).check_data()),
    "nothing to score": (
        errors.StudyError,
        lambda _: tiny(
            **{"data": {"kind": "gaussian"}}
            | {f"trial.score.{name}": 0 for name in ("fidelity", "diversity", "novelty")}
        ).check(),
    ),
    "an unknown agent": (errors.FileError, lambda _: TunedSynthesizer(TrialConfig(n_qubits=2), "agent.safetensors")),
    "a study file that is none": (errors.FileError, text_as(".yaml", read_yaml)),
    "a model file that is none": (errors.FileError, text_as(".safetensors", QGANSynthesizer.load)),
    "a table file that is not there": (errors.FileError, lambda folder: CsvData(path=str(folder / "no.csv")).check()),
    "a table file of another kind": (errors.FileError, lambda folder: CsvData(path=str(folder)).check()),
    "few rows": (errors.DataError, rows("x,y\n1,a\n2,b\n")),
    "infinities": (errors.DataError, rows("x,y\n" + "inf,a\n1,b\n" * 20)),
    "one class": (errors.DataError, rows("x,y\n" + "1,a\n2,a\n" * 20)),
    "a rare class": (errors.DataError, rows("x,y\n" + "1,a\n2,a\n" * 20 + "3,b\n")),
    "another label": (errors.StudyError, rows("x,z\n" + "1,a\n2,b\n" * 20)),
    "rows that are not finite": (errors.DataError, lambda _: Scaling.fit(np.full((4, 1), np.nan), 1)),
    "rows of another width": (
        errors.DataError,
        lambda folder: write_rows(
            folder / "x.csv", np.zeros((2, 9)), [0, 0], TableData(name="iris").instance(0, held_out=True)
        ),
    ),
    "rows that can't be written": (
        errors.FileError,
        lambda _: write_rows("/no/x.csv", np.zeros((1, 4)), [0], TableData(name="iris").instance(0, held_out=True)),
    ),
    "an unknown device": (errors.DeviceError, lambda _: device("no.such")),
    "a device that is not there": (
        errors.DeviceError,
        lambda _: PennyLaneEngine(
            Ansatz(name="own", layer=lambda *_: None, n_layer_weights=lambda n: n), 2, 1, "no.such", DeviceOptions()
        ),
    ),
    "no way to its gradients": (errors.StudyError, lambda _: device("lightning.qubit", differentiation="backprop")),
    "too many qubits": (errors.MemoryLimitError, lambda _: TrialConfig(n_qubits=60)),
    "too many for the statevector": (
        errors.MemoryLimitError,
        lambda _: TrialConfig(n_qubits=20, engine={"name": "statevector"}),
    ),
    "too many lanes": (
        errors.MemoryLimitError,
        lambda _: tiny(**{"trial.n_qubits": 16, "resources.n_lanes": 1000}).check(),
    ),
    "an ansatz of other gates": (
        errors.CircuitError,
        own_ansatz(lambda *_: qp.BitFlip(0.1, wires=0)),
    ),
    "an ansatz of other wires": (errors.CircuitError, own_ansatz(lambda _index, _x, w, _n: qp.RX(w[0], wires=7))),
    "a model that is not trained": (
        errors.NotFittedError,
        lambda _: QGANSynthesizer(TrialConfig(n_qubits=2)).description(),
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_its_class(cause: str, tmp_path: Path) -> None:
    kind, attempt = CAUSES[cause]
    with pytest.raises(errors.QsynthError) as caught:
        attempt(tmp_path)
    assert type(caught.value) is kind, str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu() -> None:
    with pytest.raises(errors.DeviceError):
        check_place("cuda")


@pytest.mark.parametrize("synthesizer", [QGANSynthesizer, TunedSynthesizer])
def test_training_that_diverges(monkeypatch: pytest.MonkeyPatch, synthesizer: type[QGANSynthesizer]) -> None:
    monkeypatch.setattr("qsynth.population.population.EXPLODED", 0.0)
    trial = parse(Study, TINY, source="tiny").trial
    with pytest.raises(errors.DivergedError):
        synthesizer(trial, n_iterations=1).fit(TableData(name="iris", n_features=2, n_train=24))


def test_no_folder_for_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE, "/proc/no/folder")
    with pytest.raises(errors.CompilationError):
        cache_folder()


def test_all_are_refusals() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert len(classes) == 11
    assert all(
        issubclass(each, errors.QsynthError) and issubclass(each, ValueError) and each.__doc__ for each in classes
    )


def test_messages_stay_short_and_can_be_printed_whatever_is_quoted_in_them() -> None:
    message = str(errors.StudyError(f"name must be short; got {'x' * 3000!r}. Did you mean 'x'?"))
    assert len(message) == errors.LONGEST
    assert message.startswith("name must be short; got 'xxx")
    assert re.search(r"x\.\.\.\[3,\d{3} characters\]\.\.\.x", message)
    assert message.endswith("xxx'. Did you mean 'x'?")
    assert str(errors.FileError("a\0b\x1b[31m\nc\udcff é")) == r"a\x00b\x1b[31m c\udcff é"


def test_values_are_quoted_in_part() -> None:
    assert errors.shown("short") == "'short'"
    assert len(errors.shown(["x" * 3000] * 3)) == errors.LONGEST_VALUE
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert errors.shown(deep) == "a list"
    while deep:  # so that taking it apart recurses no deeper than it may
        deep = deep.pop()
    with pytest.raises(errors.StudyError) as refused:
        tiny(name="x" * 3000)
    assert len(str(refused.value)) < 300
