"""What every source of instances must hold to."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsynth.data.bundled import TABLES
from qsynth.data.dataset import Instance, Split
from qsynth.data.discrete import Bimodal, Binomial, DiscreteData, LogNormal, Triangular
from qsynth.data.gaussian import GaussianFamily, NormalTarget
from qsynth.data.images import DigitImages
from qsynth.data.mixtures import MixtureFamily
from qsynth.data.quantum.bitstrings import GroundStateBits
from qsynth.data.quantum.problems import PROBLEMS
from qsynth.data.quantum.source import QuantumData
from qsynth.data.shapes import ShapeFamily
from qsynth.data.sources import DataSource, write_rows
from qsynth.data.tabular import CsvData, TableData
from qsynth.errors import QsynthError

PARTS = ("train", "reserve", "validation", "test")


def csv_source(folder: Path, label: str | None) -> CsvData:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, 6)) * [1, 10, 100, 1e-3, 1, 0], columns=list("abcdef"))
    if label is not None:
        frame[label] = rng.choice(["yes", "no"], 120, p=[0.2, 0.8])
    path = folder / "own.csv"
    frame.to_csv(path, index=False)
    return CsvData(path=str(path), label=label)


SOURCES: dict[str, Callable[[Path], DataSource]] = {
    "gaussian": lambda _: GaussianFamily(),
    "gaussian, one target": lambda _: GaussianFamily(target=NormalTarget(sd=0.2)),
    **{
        f"discrete, {target.kind}": (lambda _, target=target: DiscreteData(target=target))
        for target in (LogNormal(), Triangular(), Bimodal(), Binomial())
    },
    "digits": lambda _: DigitImages(),
    "digits, two classes of 4 x 4": lambda _: DigitImages(classes=(1, 0), size=4),
    "digits, one class": lambda _: DigitImages(classes=(3,)),
    "digits, components": lambda _: DigitImages(n_features=6),
    **{name: (lambda _, name=name: TableData(name=name)) for name in TABLES},
    **{f"{name}, all columns": (lambda _, name=name: TableData(name=name, n_features=None)) for name in TABLES},
    **{f"{name}, pit": (lambda _, name=name: TableData(name=name, transform="pit")) for name in TABLES},
    **{f"quantum, {name}": (lambda _, name=name: QuantumData(name=name)) for name in PROBLEMS},
    "quantum, angles": lambda _: QuantumData(name="ising", features="vqe", n_features=None, transform="pit"),
    "bitstrings": lambda _: GroundStateBits(),
    "bitstrings along z, eight qubits": lambda _: GroundStateBits(n_qubits=8, basis="z", field=0.6, n_train=20),
    "mixtures": lambda _: MixtureFamily(),
    "mixtures, unlabelled": lambda _: MixtureFamily(n_classes=1, n_features=None),
    "mixtures, two classes": lambda _: MixtureFamily(n_classes=2, n_columns=4, transform="pit"),
    "shapes": lambda _: ShapeFamily(),
    "shapes, one column": lambda _: ShapeFamily(n_columns=1, n_classes=1, n_train=2000),
    "shapes, many classes, few rows": lambda _: ShapeFamily(n_columns=8, n_classes=10, n_train=40, n_features=None),
    "csv": lambda folder: csv_source(folder, "target"),
    "csv, pit": lambda folder: csv_source(folder, "target").replaced(transform="pit", n_features=None),
    "csv, unlabelled": lambda folder: csv_source(folder, None),
}


@pytest.fixture(params=SOURCES, scope="module")
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    made = SOURCES[request.param](tmp_path_factory.mktemp("data"))
    made.check()
    return made


def parts(instance: Instance) -> list[Split]:
    return [getattr(instance, name) for name in PARTS]


def test_an_instance_repeats_bit_for_bit(source: DataSource) -> None:
    one, two = source.instance(3, held_out=False), source.instance(3, held_out=False)
    assert one.key == two.key
    assert one.scaling.to_dict() == two.scaling.to_dict()
    for first, second in zip(parts(one), parts(two), strict=True):
        np.testing.assert_array_equal(first.x, second.x)
        np.testing.assert_array_equal(first.y, second.y)


def test_keys_are_unique_and_the_two_sides_disjoint(source: DataSource) -> None:
    training = {source.instance(seed, held_out=False).key for seed in range(10)}
    held_out = {source.instance(seed, held_out=True).key for seed in range(10)}
    assert len(training) == len(held_out) == 10
    assert not training & held_out


def test_instances_differ_by_seed_and_side(source: DataSource) -> None:
    trains = [source.instance(seed, held_out).train.x for seed in range(4) for held_out in (False, True)]
    assert len({np.sort(x, axis=0).tobytes() for x in trains}) == len(trains)


def test_shapes_and_names_agree(source: DataSource) -> None:
    instance = source.instance(0, held_out=False)
    assert instance.n_features == source.width == instance.scaling.n_features
    assert len(instance.feature_names) == instance.scaling.n_columns
    assert len(set(instance.feature_names)) == len(instance.feature_names)
    for part in parts(instance):
        assert part.x.shape == (len(part), source.width)
        assert len(part) >= 8
        assert np.isfinite(part.x).all()
        assert set(part.y) == set(range(instance.n_classes))
    assert len(instance.reserve) == len(instance.train)
    if instance.image_shape is not None:
        assert math.prod(instance.image_shape) == instance.scaling.n_columns


def test_training_rows_fit_the_generators_range(source: DataSource) -> None:
    for seed in range(3):
        instance = source.instance(seed, held_out=False)
        limit = 1.0 if isinstance(source, GaussianFamily) else 0.9
        assert np.abs(instance.train.x).max() <= limit + 1e-6


def test_every_part_has_the_class_shares_of_training(source: DataSource) -> None:
    instance = source.instance(1, held_out=False)
    assert instance.class_shares.sum() == pytest.approx(1.0)
    for part in parts(instance):
        shares = np.bincount(part.y, minlength=instance.n_classes) / len(part)
        np.testing.assert_allclose(shares, instance.class_shares, atol=1.5 / min(len(part), len(instance.train)))


def test_scaled_rows_survive_the_way_back_and_forth(source: DataSource) -> None:
    instance = source.instance(2, held_out=False)
    original = instance.scaling.inverse(instance.train.x)
    np.testing.assert_allclose(instance.scaling.forward(original), instance.train.x, atol=1e-5)


def test_whatever_a_generator_emits_has_original_units(source: DataSource) -> None:
    scaling = source.instance(0, held_out=False).scaling
    emitted = np.random.default_rng(0).uniform(-1, 1, (200, source.width))
    assert np.isfinite(scaling.inverse(np.vstack([emitted, -np.ones_like(emitted), np.ones_like(emitted)]))).all()


def test_rows_can_be_written(source: DataSource, tmp_path: Path) -> None:
    instance = source.instance(0, held_out=False)
    write_rows(tmp_path / "rows.csv", instance.scaling.inverse(instance.train.x), instance.train.y, instance)
    frame = pd.read_csv(tmp_path / "rows.csv")
    assert list(frame.columns) == [*instance.feature_names, "label"]
    assert len(frame) == len(instance.train)


def test_negative_seeds_are_refused(source: DataSource) -> None:
    with pytest.raises(QsynthError, match="at least 0; got -1"):
        source.instance(-1, held_out=False)
