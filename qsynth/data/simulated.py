"""Simulated tables for QNNs [Bowles, Ahmed & Schuld 2024, arXiv 2403.07059, section "Data sets"]."""

import numpy as np

from qsynth.data.table import Table

N_ROWS, D, DEGREE, OFFSET, NOISE, MANIFOLD, SEED = 1000, 4, 5, 0.1, 0.01, 6, 3


def _table(x: np.ndarray, y: np.ndarray) -> Table:
    names = tuple(f"x{column}" for column in range(x.shape[1]))
    return Table(x=x, y=y.astype(np.int64), feature_names=names, class_names=("lower", "upper"))


def two_curves() -> Table:
    """1,000 points near two curves in four dimensions, Fourier series of degree 5, the second moved by 0.1."""
    random = np.random.default_rng(SEED)
    coefficients = random.uniform(size=(D, DEGREE + 1, 2))
    coefficients /= np.linalg.norm(coefficients)
    t = random.uniform(size=N_ROWS)
    angles = np.pi * t[:, None] * np.arange(1, DEGREE + 1)
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=2)
    x = coefficients[:, 0].sum(axis=1) + np.einsum("nkw,dkw->nd", waves, coefficients[:, 1:])
    y = np.arange(N_ROWS) % 2
    return _table(x + random.normal(scale=NOISE, size=x.shape) + OFFSET * y[:, None], y)


def hidden_manifold() -> Table:
    """1,000 points of a six-dimensional manifold folded into four, with labels of a small network [Goldt et al. 2020].

    The network sees the manifold, not the points, so that the classes overlap.
    """
    random = np.random.default_rng(SEED)
    features, points = random.normal(size=(MANIFOLD, D)), random.normal(size=(N_ROWS, MANIFOLD))
    x = np.tanh(points @ features / np.sqrt(MANIFOLD) - (2 * random.uniform(size=D) - 1))
    inner, outer = random.normal(size=(MANIFOLD, MANIFOLD)), random.normal(size=MANIFOLD)
    told = np.tanh(points @ inner.T / np.sqrt(MANIFOLD)) @ outer
    return _table(x, told > np.median(told))
