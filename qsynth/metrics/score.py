"""From raw metric values to the composite score."""

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple, Self

import torch
from pydantic import ConfigDict, Field, model_validator
from torch import Tensor

from qsynth.config import Config, unknown_key
from qsynth.data.dataset import Instance, Split
from qsynth.errors import StudyError
from qsynth.metrics.metric import Anchors, Metric, Prepared, utility
from qsynth.metrics.registry import METRICS

Weight = Annotated[float, Field(ge=0)]


class ScoreConfig(Config):
    """Reference weights of the utilities in the composite score; what weighs 0 is not measured.

    Any other registered metric can be given a weight under its name; left out, it has none.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Weight] = Field(init=False)

    fidelity: Weight = 1.0
    diversity: Weight = 1.0
    balance: Weight = 1.0
    utility: Weight = 1.0
    n_rows: int = Field(256, ge=32, le=100_000)
    n_untrained: int = Field(4, ge=1, le=64)

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        for name, weight in self.__pydantic_extra__.items():
            if name not in METRICS:
                raise unknown_key(name, weight)
        if not any(self.weights.values()):
            raise ValueError("score must weigh at least one metric above 0")
        return self

    @classmethod
    def setting_names(cls) -> Iterable[str]:
        """Names of all settings that it takes."""
        return {*super().setting_names(), *METRICS}

    @property
    def weights(self) -> dict[str, float]:
        """Metric name -> weight."""
        standard = {"fidelity": self.fidelity, "diversity": self.diversity, "balance": self.balance}
        return {**standard, "utility": self.utility, **self.__pydantic_extra__}

    def measured(self, n_classes: int) -> list[str]:
        """Names of the metrics that make up the score of data with so many classes, in order.

        Raises:
            StudyError: none is left.
        """
        weighed = [name for name, weight in self.weights.items() if weight]
        names = [name for name in weighed if n_classes > 1 or not METRICS[name].needs_classes]
        if not names:
            raise StudyError("score must weigh fidelity or diversity on data with one class")
        return names


class Scorecard(NamedTuple):
    """Of each trial: composite score in [0, 1], utilities in [0, 1], raw metric values (losses, 0 is best)."""

    score: Tensor
    utilities: dict[str, Tensor]
    raw: dict[str, Tensor]


class Reference(NamedTuple):
    """What measuring one trial's rows takes: prepared data and anchors of each metric (leading axis: trials)."""

    prepared: dict[str, Prepared]
    anchors: dict[str, Anchors]


class Scorer:
    """Measures all trials of a population with the metrics that a study weighs."""

    def __init__(self, metrics: list[Metric], weights: dict[str, float]) -> None:
        self.metrics = metrics
        total = sum(weights[metric.name] for metric in metrics)
        self.weights = {metric.name: weights[metric.name] / total for metric in metrics}

    def references(
        self, instances: Sequence[Instance], parts: Sequence[Split], untrained: Tensor, untrained_onehot: Tensor
    ) -> list[Reference]:
        """Calibrate every metric for each instance (no trials axis).

        Args:
            parts: the real rows to compare with, of each instance.
            untrained: instances x models x rows x n_features, rows of untrained generators.
            untrained_onehot: instances x models x rows x n_classes.
        """
        n, n_models = untrained.shape[:2]
        eye = torch.eye(instances[0].n_classes)
        reserve = torch.stack([torch.as_tensor(instance.reserve.x) for instance in instances])
        reserve_onehot = torch.stack([eye[torch.as_tensor(instance.reserve.y)] for instance in instances])
        made = [Reference({}, {}) for _ in instances]
        for metric in self.metrics:
            ready = [metric.prepare(instance, part) for instance, part in zip(instances, parts, strict=True)]
            once = {name: torch.stack([each[name] for each in ready]) for name in ready[0]}
            many = {name: value.repeat_interleave(n_models, dim=0) for name, value in once.items()}
            worst = metric.measure(many, untrained.flatten(0, 1), untrained_onehot.flatten(0, 1))[metric.name]
            best = metric.measure(once, reserve, reserve_onehot)[metric.name]
            worst = worst.reshape(n, n_models).mean(dim=1)
            for index, reference in enumerate(made):
                reference.prepared[metric.name] = ready[index]
                reference.anchors[metric.name] = Anchors(worst[index], best[index])
        return made

    def measure(self, reference: Reference, x: Tensor, onehot: Tensor) -> Scorecard:
        """Scorecard of rows ``x`` (trials x rows x n_features) with labels ``onehot`` (trials x rows x n_classes)."""
        raw: dict[str, Tensor] = {}
        utilities: dict[str, Tensor] = {}
        for metric in self.metrics:
            raw |= metric.measure(reference.prepared[metric.name], x, onehot)
            utilities[metric.name] = utility(raw[metric.name], reference.anchors[metric.name], metric.floor)
        score = torch.stack([self.weights[name] * value for name, value in utilities.items()]).sum(dim=0)
        return Scorecard(score, utilities, raw)


def stacked(references: list[Reference]) -> Reference:
    """One reference for several trials, along a new leading axis."""
    first = references[0]
    prepared = {
        metric: {name: torch.stack([y.prepared[metric][name] for y in references]) for name in ready}
        for metric, ready in first.prepared.items()
    }
    anchors = {
        metric: Anchors(*(torch.stack(values) for values in zip(*(y.anchors[metric] for y in references), strict=True)))
        for metric in first.anchors
    }
    return Reference(prepared, anchors)
