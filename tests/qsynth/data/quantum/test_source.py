"""Quantum data sets as data of studies and of the synthesizer."""

import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from qsynth.config import Config, parse
from qsynth.data.quantum.problem import GroundStateProblem
from qsynth.data.quantum.problems import PROBLEMS
from qsynth.data.quantum.source import QuantumData
from qsynth.data.sources import DataConfig
from qsynth.errors import QsynthError
from qsynth.synthesizer import QGANSynthesizer


class Study(Config):
    data: DataConfig


NAMES = list(PROBLEMS)
WITH_ENERGY = [name for name in NAMES if issubclass(PROBLEMS[name], GroundStateProblem)]


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_as_asked_and_always_the_same(name: str) -> None:
    data = QuantumData(name=name, n_rows=60)
    table = data.table()
    assert table.x.shape == (60, len(table.feature_names))
    assert table.x.dtype == np.float64
    assert set(table.y) == set(range(len(table.class_names)))
    assert data.table() is table, "made once a process"
    again = parse(Study, {"data": {"kind": "quantum", "name": name, "n_rows": 60}}, source="study").data
    assert again == data
    assert not np.array_equal(data.replaced(data_seed=1).table().x, table.x)


def test_another_process_makes_the_same_tables() -> None:
    code = "\n".join(
        [
            "import sys; from qsynth.data.quantum.source import QuantumData",
            "for name in sys.argv[1:]:",
            "    print(QuantumData(name=name, n_rows=60).table().x.tobytes().hex())",
        ]
    )
    ran = subprocess.run([sys.executable, "-c", code, *NAMES], capture_output=True, text=True, timeout=120, check=True)
    assert ran.stdout.split() == [QuantumData(name=name, n_rows=60).table().x.tobytes().hex() for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_more_shots_are_nearer_the_truth_of_the_same_states(name: str) -> None:
    few, many, most = (QuantumData(name=name, n_rows=200, shots=shots).table() for shots in (10, 100, 100_000))
    np.testing.assert_array_equal(few.y, most.y)
    error_of_few, error_of_many = (np.sqrt(((each.x - most.x) ** 2).mean()) for each in (few, many))
    assert 2 < error_of_few / error_of_many < 15


@pytest.mark.parametrize("name", NAMES)
def test_classes_can_be_learned_and_not_from_nothing(name: str) -> None:
    instance = QuantumData(name=name, n_train=200).instance(0, held_out=False)
    classifier = LogisticRegression(max_iter=1000).fit(instance.train.x, instance.train.y)
    accuracy = classifier.score(instance.test.x, instance.test.y)
    assert instance.class_shares.max() + 0.08 < accuracy < 0.97


@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_rows_take_little_time(name: str) -> None:
    began = time.process_time()
    QuantumData(name=name, data_seed=123).table()
    assert time.process_time() - began < 10


@pytest.mark.parametrize("name", WITH_ENERGY)
def test_angles_are_columns_too(name: str) -> None:
    data = QuantumData(name=name, n_rows=100, features="vqe")
    assert data.title.endswith("-vqe")
    table, measured = data.table(), QuantumData(name=name, n_rows=100).table()
    assert table.feature_names[0] == "angle_0_0"
    assert table.x.std() > 0.1
    np.testing.assert_array_equal(table.y, measured.y)


def test_the_synthesizer_learns_one() -> None:
    synthesizer = QGANSynthesizer(n_iterations=2, evaluate_every=2, random_state=0, verbose=False)
    rows = synthesizer.fit(QuantumData(name="ising", n_rows=200)).sample(10)
    assert "z0z1" in rows.columns
    assert set(rows["label"]) <= {"ordered", "disordered"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "isin"}, r"data\.name: quantum data set must be a registered one; got 'isin'. Did you mean 'ising'"),
        ({"name": "ising", "n_qubits": 9}, "n_qubits must be 2 to 8 with ising; got 9"),
        ({"name": "xxz", "features": "vqe", "shots": 10}, "shots must be left out with features vqe.*got 10"),
        ({"name": "xxz", "features": "angles"}, "'observables' or 'vqe'"),
    ],
)
def test_what_it_cannot_make_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        parse(Study, {"data": {"kind": "quantum", **values}}, source="study")
