"""Which instances a population takes, and in what form."""

import torch
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.errors import DataError


def check_shape(instance: Instance, n_features: int, n_classes: int) -> None:
    """Refuse an instance of another shape than the population's.

    Raises:
        QsynthError: such an instance.
    """
    if (instance.n_features, instance.n_classes) != (n_features, n_classes):
        raise DataError(
            f"instance {instance.key} must have {n_features} features and {n_classes} classes; "
            f"got {instance.n_features} and {instance.n_classes}"
        )


def joint_rows(instance: Instance) -> Tensor:
    """Training rows with their one-hot labels, rows x (n_features + n_classes)."""
    onehot = torch.eye(instance.n_classes)[torch.as_tensor(instance.train.y)]
    return torch.cat([torch.as_tensor(instance.train.x), onehot], dim=1)
