"""What makes the scores of a table's rows: a circuit with a residual, or normal distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qsynth.config import parse
from qsynth.data.scaling import Scaling
from qsynth.population.trained_generator import TrainedGenerator
from qsynth.population.trial import TrialConfig
from qsynth.synthesis.latent import Latent
from qsynth.yardsticks.gaussians import Gaussians
from qsynth.yardsticks.yardstick import ByClass

RESIDUAL = 1 << 21  # of the residual's random numbers

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Maker(Protocol):
    """Makes scores."""

    kind: str

    def scores(self, labels: Labels, seed: int) -> Floats:
        """Scores (``n x p``) for class indices (``n``)."""
        ...

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON, lossless."""
        ...


@dataclass(frozen=True, eq=False)
class CircuitScores:
    """A trained generator makes factors, what they leave over is normal."""

    generator: TrainedGenerator
    scaling: Scaling
    latent: Latent
    kind = "circuit"

    def scores(self, labels: Labels, seed: int) -> Floats:
        """Scores (``n x p``) for class indices (``n``)."""
        factors = self.scaling.inverse(self.generator.sample(labels, seed))
        return self.latent.scores(factors, np.random.default_rng([seed, RESIDUAL]))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON, lossless."""
        made = self.generator
        about = {
            "config": made.config.model_dump(mode="json"),
            "hyperparameters": made.hyperparameters,
            "n_classes": made.n_classes,
            "scaling": self.scaling.to_dict(),
            "latent": self.latent.to_dict(),
        }
        return {"generator": made.parameters}, about

    @classmethod
    def of_state(cls, tensors: Mapping[str, Tensor], about: Mapping[str, Any], source: str) -> Self:
        """The maker that :meth:`state` described.

        Raises:
            QsynthError, ValueError, TypeError or KeyError: the state isn't one of those.
        """
        config = parse(TrialConfig, about["config"], source=source)
        scaling, latent = Scaling.from_dict(about["scaling"]), Latent.from_dict(about["latent"])
        if scaling.n_columns != latent.n_factors:
            raise ValueError(f"a scaling of {scaling.n_columns} columns for {latent.n_factors} factors")
        values = {str(name): float(value) for name, value in about["hyperparameters"].items()}
        size = scaling.n_features, int(about["n_classes"])
        return cls(TrainedGenerator(config, tensors["generator"], values, *size), scaling, latent)


@dataclass(frozen=True, eq=False)
class GaussianScores:
    """For each class normal distributions, of which one makes a row."""

    laws: tuple[Gaussians, ...]
    kind = "gaussians"

    @classmethod
    def of(cls, laws: Sequence[Gaussians]) -> Self:
        """From a yardstick's laws, in the order of the classes."""
        return cls(tuple(laws))

    def scores(self, labels: Labels, seed: int) -> Floats:
        """Scores (``n x p``) for class indices (``n``)."""
        made = ByClass(self.laws, self.laws[0].means.shape[1]).sample(labels, seed)
        return np.asarray(made, dtype=np.float64)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON, lossless."""
        tensors = {
            f"{name}.{label}": torch.tensor(np.asarray(getattr(law, name), dtype=np.float64))
            for label, law in enumerate(self.laws)
            for name in ("weights", "means", "factors")
        }
        return tensors, {"n_classes": len(self.laws)}

    @classmethod
    def of_state(cls, tensors: Mapping[str, Tensor], about: Mapping[str, Any], source: str) -> Self:
        """The maker that :meth:`state` described.

        Raises:
            ValueError, TypeError or KeyError: the state isn't one of those.
        """
        laws = []
        for label in range(int(about["n_classes"])):
            names = ("weights", "means", "factors")
            weights, means, factors = (tensors[f"{name}.{label}"].numpy() for name in names)
            (k, p), n_factors = means.shape, len(factors)
            if weights.shape != (k,) or factors.shape != (n_factors, p, p) or n_factors not in (1, k):
                raise ValueError(f"{source}: weights, means and factors of shapes that do not fit")
            if not all(np.isfinite(each).all() for each in (weights, means, factors)) or (weights < 0).any():
                raise ValueError(f"{source}: weights, means or factors that are none")
            laws.append(Gaussians(weights, means, factors))
        return cls(tuple(laws))


MAKERS: Mapping[str, type[CircuitScores] | type[GaussianScores]] = {
    each.kind: each for each in (CircuitScores, GaussianScores)
}
