"""Whether rows that went through factors and back can be told from rows that did not."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from qsynth.quality.c2st import told_apart
from qsynth.synthesis.latent import Latent

MOST_ROWS, FEWEST_ROWS = 1000, 40
N_TREES = 24
STREAM = 1 << 25  # of the halves' and the residual's random numbers

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def reconstruction_auc(latent: Latent, scores: Floats, labels: Labels, seed: int) -> float | None:
    """Area under the ROC curve with which a small forest tells scores from those made of factors and a new residual.

    One half of the rows goes through the factors and back and is compared with the other half, so that no row meets
    itself; classes are columns as well. A linear classifier would see nothing: means and covariances are kept.

    Args:
        scores: ``n x p`` of real rows, of which a thousand are used.
        labels: class indices (``n``).

    Returns:
        1/2 where the reduction loses nothing that a forest sees; None of fewer than 40 rows.
    """
    if len(scores) < FEWEST_ROWS:
        return None
    random = np.random.default_rng([seed, STREAM])
    chosen = random.permutation(len(scores))[:MOST_ROWS]
    there_and_back, kept = chosen[::2], chosen[1::2]
    made = latent.scores(latent.factors(scores[there_and_back]), random)
    classes = np.eye(int(labels.max()) + 1)
    first = np.hstack([scores[kept], classes[labels[kept]]])
    second = np.hstack([made, classes[labels[there_and_back]]])
    forest = RandomForestClassifier(N_TREES, min_samples_leaf=2, random_state=seed % (1 << 32))
    return told_apart(forest, first, second, seed % (1 << 32)).value
