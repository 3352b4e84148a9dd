"""What ``import qsynth`` offers: exactly these names, at no cost until one is used, and slips answered in one line."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qsynth
from qsynth import (
    CsvData,
    DataError,
    FileError,
    GaussianFamily,
    NotFittedError,
    QGANSynthesizer,
    QsynthError,
    StudyError,
    TableData,
    TrialConfig,
)
from rl_envs.tuned_synthesizer import TunedSynthesizer

ROOT = Path(__file__).parents[2]
NAMES = """
ANSAETZE Ansatz CircuitError CompilationError CsvData DataError DataSource DeviceError DigitImages DiscreteData
DivergedError ENCODERS Encoder FileError GaussianFamily GroundStateBits Instance METRICS MemoryLimitError Metric
MetricSetting MixtureFamily NotFittedError PluginError QGANSynthesizer QsynthError QuantumData READOUTS SOURCES Scaling
Split StudyError TABLES Table TableData TrialConfig YARDSTICKS Yardstick recommended_trial
"""
SIZES = {"latent_dim": 1, "n_layers": 1, "critic_width": 2, "batch_size": 2, "n_critic": 1}
CONFIG = TrialConfig(
    n_qubits=1,
    capacity=SIZES,
    defaults=SIZES,
    score={"balance": 0, "utility": 0, "n_rows": 32},
)


def test_these_names_are_exported() -> None:
    assert sorted(qsynth.__all__) == sorted(NAMES.split())
    assert set(qsynth.__all__) <= set(dir(qsynth))
    for name in qsynth.__all__:
        assert getattr(qsynth, name) is not None
    with pytest.raises(AttributeError, match="module 'qsynth' has no attribute 'QGANSynthesiser'"):
        _ = qsynth.QGANSynthesiser  # type: ignore[attr-defined]


def test_checkers_of_types_see_the_same_names() -> None:
    [block] = [node for node in ast.parse(Path(qsynth.__file__).read_text()).body if isinstance(node, ast.If)][:1]
    imported = {
        name.name: each.module for each in block.body if isinstance(each, ast.ImportFrom) for name in each.names
    }
    assert imported == qsynth._MODULE_OF


def test_import_is_light() -> None:
    code = "import json, sys, qsynth; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not {"torch", "pennylane", "numpy", "pydantic", "ray", "mlflow"} & loaded
    assert [name for name in loaded if name.startswith("qsynth.")] == []


def fitted() -> QGANSynthesizer:
    return QGANSynthesizer(CONFIG, n_iterations=1).fit(GaussianFamily(n_train=16))


SLIPS: dict[str, tuple[Callable[[], Any], type[QsynthError], str]] = {
    "qubits in words": (lambda: TrialConfig(n_qubits="four"), StudyError, "TrialConfig: n_qubits: input should be"),
    "no qubits": (lambda: TrialConfig(), StudyError, "TrialConfig: n_qubits must be given"),
    "settings without names": (lambda: TrialConfig(4), StudyError, "as in n_qubits=...; got 4"),
    "an unknown setting": (lambda: TrialConfig(n_qubits=2, anzatz="x"), StudyError, "'anzatz'. Did you mean 'ansatz'?"),
    "an unknown ansatz": (lambda: TrialConfig(n_qubits=2, ansatz="stile"), StudyError, "Did you mean 'style'?"),
    "a deep setting": (
        lambda: TrialConfig(n_qubits=2, defaults={"beta1": 2}),
        StudyError,
        "TrialConfig: defaults.beta1: input should be less than or equal to 0.999; got 2",
    ),
    "an unknown hyperparameter": (
        lambda: TrialConfig(n_qubits=2, defaults={"lr_critik": 0.1}),
        StudyError,
        "TrialConfig: unknown key 'defaults.lr_critik'. Did you mean 'lr_critic'?",
    ),
    "a config that is changed": (lambda: setattr(CONFIG, "n_qubits", 2), StudyError, "replaced(n_qubits=2)"),
    "a changed config": (lambda: CONFIG.replaced(n_qubits=0), StudyError, "TrialConfig: n_qubits: input should be"),
    "no file": (lambda: CsvData(), StudyError, "CsvData: path must be given"),
    "a path without its name": (lambda: CsvData("rows.csv"), StudyError, "got 'rows.csv'"),
    "a file that is not there": (
        lambda: QGANSynthesizer(CONFIG).fit(CsvData(path="no.csv")),
        FileError,
        "a table's path must be an existing file; got 'no.csv'",
    ),
    "an unknown table": (lambda: TableData(name="irs"), StudyError, "got 'irs'. Did you mean 'iris'?"),
    "a config that is none": (lambda: QGANSynthesizer({"n_qubits": 2}), StudyError, "config must be a TrialConfig"),
    "rows for a source": (lambda: QGANSynthesizer(CONFIG).fit(np.zeros((4, 1))), DataError, "got a ndarray"),
    "a source's class": (lambda: QGANSynthesizer(CONFIG).fit(TableData), DataError, "or a source such as"),
    "too many features": (
        lambda: QGANSynthesizer(CONFIG).fit(TableData(name="iris")),
        StudyError,
        "n_qubits must suffice for the data's 4 features; got 1",
    ),
    "negative iterations": (
        lambda: QGANSynthesizer(CONFIG, n_iterations=-1).fit(GaussianFamily()),
        StudyError,
        "n_iterations must be at least 1; got -1",
    ),
    "half an iteration": (
        lambda: QGANSynthesizer(CONFIG, n_iterations=0.5).fit(GaussianFamily()),
        StudyError,
        "got 0.5",
    ),
    "iterations in words": (
        lambda: QGANSynthesizer(CONFIG, n_iterations="10").fit(GaussianFamily()),
        StudyError,
        "got '10'",
    ),
    "a negative seed": (lambda: QGANSynthesizer(CONFIG, random_state=-1).fit(GaussianFamily()), StudyError, "got -1"),
    "evaluations": (lambda: QGANSynthesizer(CONFIG, evaluate_every=0).fit(GaussianFamily()), StudyError, "got 0"),
    "what to keep": (lambda: QGANSynthesizer(CONFIG, keep=["best"]).fit(GaussianFamily()), StudyError, "['best']"),
    "a callback": (
        lambda: QGANSynthesizer(CONFIG).fit(GaussianFamily(), on_evaluation=1),
        StudyError,
        "on_evaluation must be a function; got 1",
    ),
    "an instance's seed": (lambda: GaussianFamily().instance("1", held_out=False), StudyError, "got '1'"),
    "not fitted": (lambda: QGANSynthesizer(CONFIG).sample(1), NotFittedError, "must be fitted first"),
    "no rows": (lambda: fitted().sample(0), StudyError, "n_rows must be in 1..10,000,000; got 0"),
    "rows in words": (lambda: fitted().sample("ten"), StudyError, "got 'ten'"),
    "a seed in words": (
        lambda: fitted().sample(1, random_state="1"),
        StudyError,
        "seed must be within 0..2^63 - 1; got '1'",
    ),
    "an unknown label": (
        lambda: fitted().sample(1, where={"label": "alll"}),
        StudyError,
        "got 'alll'. Did you mean 'all'?",
    ),
    "a label that is no name": (lambda: fitted().sample(1, where={"label": 0}), StudyError, "label must be a class"),
    "labels": (lambda: fitted().sample(1, where="setosa"), StudyError, "where must say which label"),
    "nowhere to save": (lambda: fitted().save("/no/such/folder/model"), FileError, "can't be written"),
    "no path to save": (lambda: fitted().save(None), FileError, "path must be a file's path; got None"),
    "no path to load": (lambda: QGANSynthesizer.load(None), FileError, "path must be a file's path; got None"),
    "no model": (lambda: QGANSynthesizer.load("no.safetensors"), FileError, "can't be read: No such file"),
    "an unknown agent": (lambda: TunedSynthesizer(CONFIG, "defalt"), FileError, "Did you mean 'default'?"),
    "an agent that is none": (lambda: TunedSynthesizer(CONFIG, None), FileError, "an agent must be"),
    "nothing for an agent": (lambda: TunedSynthesizer("iris"), StudyError, "config must be a TrialConfig"),
    "an agent's rows": (lambda: TunedSynthesizer(CONFIG).fit([[0.0]]), DataError, "got a list"),
    "an agent's iterations": (
        lambda: TunedSynthesizer(CONFIG, n_iterations=None).fit(GaussianFamily()),
        StudyError,
        "got None",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_in_one_line(slip: str) -> None:
    attempt, kind, part = SLIPS[slip]
    with pytest.raises(QsynthError) as caught:
        attempt()
    assert type(caught.value) is kind
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
