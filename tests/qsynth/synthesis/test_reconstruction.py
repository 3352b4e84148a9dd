"""What a reduction to factors loses is seen where something is lost, and nowhere else."""

import numpy as np
import pytest

from qsynth.synthesis.latent import Latent
from qsynth.synthesis.reconstruction import reconstruction_auc

N = 1000


def normal(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(N, 5)) @ random.normal(size=(5, 5))


def test_nothing_is_lost_of_normal_scores_or_with_all_factors() -> None:
    labels = np.arange(N) % 2
    assert reconstruction_auc(Latent.fit(normal(0), 2), normal(0), labels, 0) == pytest.approx(0.5, abs=0.07)
    bent = normal(1)
    bent[:, 4] = bent[:, 0] ** 2
    assert reconstruction_auc(Latent.fit(bent, 5), bent, labels, 0) == pytest.approx(0.5, abs=0.07)


def test_what_a_normal_residual_cannot_be_is_seen() -> None:
    random = np.random.default_rng(0)
    wide = 3 * random.normal(size=N)
    scores = np.column_stack([wide, wide + random.normal(size=N), random.choice([-1.0, 1.0], size=N)])
    auc = reconstruction_auc(Latent.fit(scores, 1), scores, np.zeros(N, dtype=np.int64), 0)
    assert auc is not None
    assert auc > 0.85


def test_a_residual_that_goes_with_the_class_is_seen() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(N) % 2
    first = random.normal(size=N)
    other = np.where(labels == 1, first, -first) + 0.2 * random.normal(size=N)
    scores = np.column_stack([first, other, 3 * random.normal(size=N)])
    auc = reconstruction_auc(Latent.fit(scores, 1), scores, labels, 0)
    assert auc is not None
    assert auc > 0.75


def test_few_rows_say_nothing() -> None:
    assert reconstruction_auc(Latent.fit(normal(0), 2), normal(0)[:39], np.zeros(39, dtype=np.int64), 0) is None
