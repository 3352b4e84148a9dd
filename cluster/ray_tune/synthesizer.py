"""From a checkpoint of Ray Tune to synthetic rows."""

from pathlib import Path
from typing import Any

import numpy as np

from cluster.ray_tune.trainable import GanTrainable
from cluster.ray_tune.trial_folder import TrialFolder
from qsynth.errors import NotFittedError
from qsynth.synthesizer import QGANSynthesizer


def synthesizer(kind: type[GanTrainable], checkpoint: Any) -> QGANSynthesizer:
    """The generator in a trial's checkpoint, ready to sample and to save; of several lanes the one with the best score.

    >>> synthesizer(kind, results.get_best_result().checkpoint).sample(100)   # doctest: +SKIP

    Args:
        kind: what the Tuner had, from :func:`cluster.ray_tune.trainable`.
        checkpoint: of Tune, which makes some at decisions or ends if its ``CheckpointConfig`` says so.

    Raises:
        QsynthError: no checkpoint, or another kind's.
    """
    if checkpoint is None:
        raise NotFittedError("a trial must have a checkpoint; ask for it with CheckpointConfig(checkpoint_at_end=True)")
    with checkpoint.as_directory() as folder:
        found = TrialFolder.read(Path(folder))
    lane = int(np.argmax(found.state.best))
    instance = kind.plan.of_lanes()[lane]
    return QGANSynthesizer.from_snapshot(kind.plan.study.trial, found.snapshots[lane], instance)
