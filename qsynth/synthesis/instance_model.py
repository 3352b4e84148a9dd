"""What has been learned of an instance of a data source, and makes rows in original units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, StrictStr
from torch import Tensor

from qsynth.config import Config, parse
from qsynth.data.dataset import Instance
from qsynth.data.labels import stratified
from qsynth.data.scaling import Scaling
from qsynth.errors import StudyError, did_you_mean
from qsynth.population.snapshot import Snapshot
from qsynth.population.trained_generator import TrainedGenerator
from qsynth.population.trial import TrialConfig

LABEL = "label"
Share = Annotated[float, Field(ge=0, le=1.01)]


class _Learned(Config):
    """What a file must say of what was learned, to be used."""

    model_config = ConfigDict(extra="ignore")

    instance: StrictStr
    iteration: int = Field(ge=0)
    hyperparameters: dict[str, float]
    feature_names: tuple[StrictStr, ...] = Field(min_length=1)
    class_names: tuple[StrictStr, ...] = Field(min_length=1)
    class_shares: tuple[Share, ...]
    n_features: int = Field(ge=1)


@dataclass(frozen=True, eq=False)
class InstanceModel:
    """A trial's generator and the scaling of what it learned.

    Attributes:
        about: JSON: names of columns and classes, shares, the instance's key, iterations.
    """

    generator: TrainedGenerator
    scaling: Scaling
    about: Mapping[str, Any]

    @classmethod
    def of(cls, config: TrialConfig, snapshot: Snapshot, instance: Instance) -> Self:
        """Of a trial of an instance."""
        about: dict[str, Any] = {
            "instance": snapshot.instance,
            "iteration": snapshot.iteration,
            "hyperparameters": snapshot.hyperparameters,
            "feature_names": list(instance.feature_names),
            "class_names": list(instance.class_names),
            "class_shares": [float(share) for share in instance.class_shares],
            "n_features": instance.n_features,
            "scaling": instance.scaling.to_dict(),
        }
        return cls._of(config, snapshot.generator, about, instance.scaling)

    @classmethod
    def _of(cls, config: TrialConfig, generator: Tensor, about: Mapping[str, Any], scaling: Scaling) -> Self:
        size = int(about["n_features"]), len(about["class_names"])
        return cls(TrainedGenerator(config, generator, about["hyperparameters"], *size), scaling, about)

    def sample(self, n_rows: int, where: Mapping[str | int, object] | None, seed: int) -> pd.DataFrame:
        """Rows: the original columns, in original units, and a column ``label``.

        Raises:
            StudyError: another condition than on the label, or an unknown class.
        """
        x, y = self.scaled(n_rows, where, seed)
        frame = pd.DataFrame(self.scaling.inverse(x), columns=list(self.about["feature_names"]))
        frame[LABEL] = np.array(self.about["class_names"], dtype=object)[y]
        return frame

    def scaled(
        self, n_rows: int, where: Mapping[str | int, object] | None, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Rows (``n x n_features``) in the generator's scaled space, and class indices (``n``)."""
        y = stratified(self._shares(where), n_rows)
        return self.generator.sample(y, seed), y

    def _shares(self, where: Mapping[str | int, object] | None) -> NDArray[np.float64]:
        if where is None:
            return np.array(self.about["class_shares"])
        if not isinstance(where, Mapping) or set(where) - {LABEL}:
            raise StudyError(f"where must say which {LABEL}, e.g. {{'{LABEL}': 'setosa'}}, of a source; got {where!r}")
        names: list[str] = self.about["class_names"]
        label = where.get(LABEL, names[0])
        if not isinstance(label, str) or label not in names:
            raise StudyError(f"{LABEL} must be a class of the data; got {label!r}.{did_you_mean(str(label), names)}")
        return np.asarray(np.eye(len(names))[names.index(label)])

    def description(self) -> dict[str, object]:
        """What was learned, and how."""
        keys = ("instance", "iteration", "hyperparameters", "feature_names", "class_names", "class_shares")
        return {key: self.about[key] for key in keys}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON, lossless."""
        config = self.generator.config.model_dump(mode="json")
        return {"generator": self.generator.parameters}, {"config": config, "learned": dict(self.about)}

    @classmethod
    def of_state(cls, tensors: Mapping[str, Tensor], about: Mapping[str, Any], source: str) -> Self:
        """The model that :meth:`state` described.

        Raises:
            QsynthError, ValueError, TypeError or KeyError: the state isn't one of those.
        """
        config, learned = parse(TrialConfig, about["config"], source=source), about["learned"]
        said, scaling = parse(_Learned, learned, source=source), Scaling.from_dict(learned["scaling"])
        n_classes, shares = len(said.class_names), np.array(said.class_shares)
        if (len(said.feature_names), said.n_features) != (scaling.n_columns, scaling.n_features):
            raise ValueError("a scaling of other columns")
        if len(shares) != n_classes or not 0.99 < shares.sum() < 1.01:
            raise ValueError(f"shares of the classes must add up to 1; got {shares.sum():g}")
        model = cls._of(config, tensors["generator"], learned, scaling)
        made = scaling.inverse(model.generator.sample(np.arange(n_classes), 0))  # what does not go together shows here
        if not np.isfinite(made).all():
            raise ValueError("a generator whose rows are not finite")
        return model
