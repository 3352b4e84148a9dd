"""Random tables of many shapes: each is what its name says, and tables differ in what schedules must tell apart."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.stats import kurtosis, skew

from qsynth.data.shapes import SHAPES, ShapeFamily

N = 1000


def drawn(name: str, seed: int, d: int, n: int = N) -> np.ndarray:
    [shape] = [each for each in SHAPES if each.__name__ == f"_{name}"]
    return shape(np.random.default_rng(seed), n, d)


def median(name: str, measure: object, d: int = 2, n: int = N) -> float:
    return float(np.median([measure(drawn(name, seed, d, n)) for seed in range(20)]))  # type: ignore[operator]


def nearest(rows: np.ndarray) -> float:
    """Median distance to the nearest row, over the rows' spread."""
    return float(np.median(cKDTree(rows).query(rows, k=2)[0][:, 1]) / rows.std())


def test_tails_are_heavy_and_boxes_have_none() -> None:
    assert median("tails", lambda rows: kurtosis(rows).max()) > 3.0
    assert median("normal", lambda rows: kurtosis(rows).max()) < 0.5
    assert median("box", lambda rows: kurtosis(rows).max()) < -1.0


def test_skewed_clouds_are_skewed() -> None:
    assert median("skewed", lambda rows: np.abs(skew(rows)).max()) > 1.0


def test_a_gap_holds_no_rows() -> None:
    def widest(rows: np.ndarray) -> float:
        values = np.sort(rows[:, 0])
        return float(np.diff(values[20:-20]).max() / rows.std())

    assert median("gap", widest, d=1) > 5 * median("normal", widest, d=1)


@pytest.mark.parametrize("name", ["lumps", "ring", "curve", "flat"])
def test_thin_shapes_have_near_neighbours(name: str) -> None:
    assert median(name, nearest, d=4) < 0.8 * median("normal", nearest, d=4)


def test_a_ring_is_empty_within() -> None:
    def inside(rows: np.ndarray) -> float:
        radius = np.linalg.norm(rows, axis=1)
        return float(np.mean(radius < 0.3 * np.median(radius)))

    assert median("ring", inside) == 0.0
    assert median("normal", inside) > 0.02


def test_a_flat_piece_has_fewer_dimensions_than_columns() -> None:
    def thickness(rows: np.ndarray) -> float:
        sizes = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
        return float(sizes[-1] / sizes[0])

    assert median("flat", thickness, d=4) < 0.3


def test_tables_differ_in_thinness_and_in_how_classes_overlap() -> None:
    family = ShapeFamily(n_columns=4, n_classes=3)
    instances = [family.instance(seed, held_out=False) for seed in range(40)]
    distances, mixed = [], []
    for instance in instances:
        x, y = instance.train.x, instance.train.y
        near, index = (each[:, 1] for each in cKDTree(x).query(x, k=2))
        distances.append(np.median(near))
        mixed.append(np.mean(y[index] != y))
    assert np.quantile(distances, 0.9) > 3 * np.quantile(distances, 0.1)
    assert np.quantile(mixed, 0.1) < 0.1
    assert np.quantile(mixed, 0.9) > 0.3


def test_other_sizes_are_other_tables() -> None:
    one, other = (ShapeFamily(n_columns=n).table_of(0, held_out=False) for n in (2, 4))
    assert one.x.shape[1] == 2
    assert other.x.shape[1] == 4
