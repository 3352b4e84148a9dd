"""The cluster-Ising ring against free fermions, the limits of its phases, and its phase diagram."""

import numpy as np
import pytest

from qsynth.data.quantum.cluster_ising import ClusterIsingRing
from qsynth.data.quantum.measurement import Floats, expectations

RING = ClusterIsingRing()


def of_free_fermions(n_qubits: int, cluster: float, field: float, coupling: float) -> float:
    """The even sector's lowest energy: fermions on an antiperiodic ring."""
    z = np.exp(1j * np.pi * (2 * np.arange(n_qubits) + 1) / n_qubits)
    return float(-np.abs(field + coupling * z - cluster * z**2).sum())


def exact_columns(cluster: float, field: float, coupling: float) -> Floats:
    """Of one ring of six qubits: 6 z, 6 zz, 6 x, 6 xx, 6 stabilizers."""
    states = RING.ground(6, np.array([[-cluster, -field, coupling]]))
    return expectations(states, RING.readouts(6))[0].reshape(5, 6)


@pytest.mark.parametrize("n_qubits", [4, 6, 8])
def test_energies_are_those_of_free_fermions(n_qubits: int) -> None:
    points = RING.points(20, np.random.default_rng(3))
    states = RING.ground(n_qubits, points.coefficients)
    expected = [of_free_fermions(n_qubits, -a, -b, c) for a, b, c in points.coefficients]
    np.testing.assert_allclose(RING.energies(n_qubits, points.coefficients, states), expected, atol=1e-9)


def test_the_three_limits() -> None:
    cluster, paramagnet, magnet = (exact_columns(*each) for each in np.eye(3))
    np.testing.assert_allclose(cluster[4], 1.0, atol=1e-9)
    np.testing.assert_allclose(cluster[:4], 0.0, atol=1e-9)
    np.testing.assert_allclose(paramagnet[2:4], 1.0, atol=1e-9)
    np.testing.assert_allclose(paramagnet[[0, 1, 4]], 0.0, atol=1e-9)
    np.testing.assert_allclose(magnet[1], -1.0, atol=1e-9)


def test_the_class_is_how_many_zeros_lie_inside_the_unit_circle() -> None:
    points = RING.points(2000, np.random.default_rng(0))
    cluster, field, coupling = (points.coefficients * [-1, -1, 1]).T
    zeros = [np.roots([-a, c, b]) for a, b, c in zip(cluster, field, coupling, strict=True)]
    np.testing.assert_array_equal(points.y, [(np.abs(each) < 1).sum() for each in zeros])
    np.testing.assert_allclose(np.bincount(points.y) / 2000, [0.25, 0.5, 0.25], atol=0.04)


def test_the_gap_closes_at_the_borders_and_only_there() -> None:
    """Of the infinite ring: least energy of a fermion, at any momentum."""
    z = np.exp(1j * np.linspace(0, 2 * np.pi, 2001))
    for cluster, field, coupling, closed in [
        (0.5, 0.3, 0.2, True),  # SPT and magnet
        (0.3, 0.5, 0.2, True),  # paramagnet and magnet
        (0.5, 0.5, 0.0, True),  # SPT and paramagnet
        (0.6, 0.2, 0.2, False),
        (0.4, 0.3, 0.3, False),
    ]:
        gap = np.abs(field + coupling * z - cluster * z**2).min()
        assert (gap < 1e-2) is np.bool_(closed)
