"""A generator that has been trained, and makes rows of the scaled space."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qsynth.errors import FileError
from qsynth.population.trial import TrialConfig
from qsynth.rng import checked_seed, normal
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import controls

STREAM_SAMPLE = 100
BATCH = 4096


class TrainedGenerator:
    """A trial's generator with the hyperparameters that the trial ended with.

    Args:
        parameters: the generator's, flat.
        hyperparameters: name -> value; what an old model's file lacks is at its default.

    Raises:
        FileError: parameters of another shape than the config's generator has.
        StudyError: more features than the config's generator makes.
    """

    def __init__(
        self,
        config: TrialConfig,
        parameters: Tensor,
        hyperparameters: Mapping[str, float],
        n_features: int,
        n_classes: int,
    ) -> None:
        self.config, self.parameters, self.n_features, self.n_classes = config, parameters, n_features, n_classes
        self.hyperparameters = dict(hyperparameters)
        self._network = config.build_generator(config.circuit(), n_features, n_classes)
        if parameters.shape != (self._network.layout.size,):
            raise FileError(
                f"a model's generator must have {self._network.layout.size} parameters; got {tuple(parameters.shape)}"
            )

    def sample(self, labels: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        """Rows (``n x n_features``, scaled) for class indices (``n``)."""
        eye, key = torch.eye(self.n_classes), torch.tensor(checked_seed(seed))
        using, n_noise, parts = self._controls(), self._network.n_noise, []
        with torch.no_grad():
            for batch, start in enumerate(range(0, len(labels), BATCH)):
                onehot = eye[torch.as_tensor(labels[start : start + BATCH])]
                z = normal(key, STREAM_SAMPLE, torch.tensor(batch), len(onehot) * n_noise)
                parts.append(self._network.sample(self.parameters, z.reshape(len(onehot), -1), onehot, using))
        return np.asarray(torch.cat(parts).numpy())

    def _controls(self) -> Controls:
        values = {name: self.config.default(name) for name in self.config.used} | self.hyperparameters
        arrays = {name: np.array([float(values[name])]) for name in self.config.used}
        return controls(arrays, self.config.capacity).of_lane(0)
