"""From raw metric values to the composite score."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

import torch
from pydantic import ConfigDict, Field, model_validator
from torch import Tensor

from qsynth.config import Config, unknown_key
from qsynth.data.dataset import Instance, Split
from qsynth.errors import StudyError
from qsynth.metrics.metric import Anchored, Anchors, Metric, Prepared, open_utility, utility
from qsynth.metrics.registry import FORMER_METRICS, METRICS

REAL_ROWS, UNTRAINED = "real_rows", "untrained"
Weight = Annotated[float, Field(ge=0)]


class ScoreConfig(Config):
    """Reference weights of the utilities in the composite score; what weighs 0 is not measured.

    Any other registered metric can be given a weight under its name; left out, it has none.

    Attributes:
        kind: ``real_rows`` measures without bias: a second real sample is worth 1 on average, and a half is what few
            real rows are worth. In ``untrained``, the former score, an untrained generator is worth 0. Settings of runs
            before there were kinds have ``n_untrained`` but no kind, and mean that one.
        novelty: weighs nothing in the former score.
        n_untrained: how many generators, or other bad samples where a metric needs them, make the lower anchor.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Weight] = Field(init=False)

    kind: Literal["real_rows", "untrained"] = "real_rows"
    fidelity: Weight = 1.0
    diversity: Weight = 1.0
    balance: Weight = 1.0
    utility: Weight = 1.0
    novelty: Weight = 1.0
    n_rows: int = Field(256, ge=32, le=100_000)
    n_untrained: int = Field(4, ge=1, le=64)

    @model_validator(mode="before")
    @classmethod
    def _of_former_runs(cls, values: Any) -> Any:
        """Settings from before there were kinds, completed."""
        if not isinstance(values, Mapping):
            return values
        return {"kind": UNTRAINED if "n_untrained" in values else REAL_ROWS, **values}

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
        novelty = self.novelty if self.kind == REAL_ROWS else 0.0
        return {**standard, "utility": self.utility, "novelty": novelty, **self.__pydantic_extra__}

    def metric(self, name: str) -> type[Metric]:
        """What a metric's name stands for here."""
        return METRICS[name] if self.kind == REAL_ROWS else FORMER_METRICS.get(name, METRICS[name])

    def measured(self, n_classes: int) -> list[str]:
        """Names of the metrics that make up the score of data with so many classes, in order.

        Raises:
            StudyError: none is left.
        """
        weighed = [name for name, weight in self.weights.items() if weight]
        names = [name for name in weighed if n_classes > 1 or not self.metric(name).needs_classes]
        if not names:
            raise StudyError("score must weigh fidelity, diversity or novelty on data with one class")
        return names


class Scorecard(NamedTuple):
    """Of each trial: composite score, utilities, raw metric values (losses, 0 is best).

    Scores and utilities are within [0, 1] in the former score; in the present one chance may take them above 1.
    """

    score: Tensor
    utilities: dict[str, Tensor]
    raw: dict[str, Tensor]


class Reference(NamedTuple):
    """What measuring one trial's rows takes: prepared data and anchors of each metric (leading axis: trials)."""

    prepared: dict[str, Prepared]
    anchors: dict[str, Anchors]


class Scorer:
    """Measures all trials of a population with the metrics that a study weighs."""

    def __init__(self, metrics: list[Metric], config: ScoreConfig) -> None:
        self.metrics, self._former, weights = metrics, config.kind == UNTRAINED, config.weights
        total = sum(weights[metric.name] for metric in metrics)
        self.weights = {metric.name: weights[metric.name] / total for metric in metrics}

    def references(
        self, instances: Sequence[Instance], parts: Sequence[Split], bad: Tensor, bad_onehot: Tensor
    ) -> list[Reference]:
        """Calibrate every metric for each instance (no trials axis).

        Args:
            parts: the real rows to compare with, of each instance.
            bad: instances x models x rows x n_features, for the lower anchor.
            bad_onehot: instances x models x rows x n_classes.
        """
        eye = torch.eye(instances[0].n_classes)
        reserve = torch.stack([torch.as_tensor(instance.reserve.x) for instance in instances])
        reserve_onehot = torch.stack([eye[torch.as_tensor(instance.reserve.y)] for instance in instances])
        made = [Reference({}, {}) for _ in instances]
        for metric in self.metrics:
            ready = [metric.prepare(instance, part) for instance, part in zip(instances, parts, strict=True)]
            once = {name: torch.stack([each[name] for each in ready]) for name in ready[0]}
            if isinstance(metric, Anchored) and not self._former:
                anchors = metric.anchors(once, reserve, reserve_onehot)
            else:
                real = metric.measure(once, reserve, reserve_onehot)[metric.name]
                anchors = Anchors(self._far(metric, once, bad, bad_onehot), real, torch.ones_like(real))
            for index, reference in enumerate(made):
                reference.prepared[metric.name] = ready[index]
                reference.anchors[metric.name] = Anchors(*(value[index] for value in anchors))
        return made

    def _far(self, metric: Metric, once: Prepared, bad: Tensor, bad_onehot: Tensor) -> Tensor:
        n, n_models = bad.shape[:2]
        many = {name: value.repeat_interleave(n_models, dim=0) for name, value in once.items()}
        found = metric.measure(many, bad.flatten(0, 1), bad_onehot.flatten(0, 1))[metric.name]
        return found.reshape(n, n_models).mean(dim=1)

    def measure(self, reference: Reference, x: Tensor, onehot: Tensor) -> Scorecard:
        """Scorecard of rows ``x`` (trials x rows x n_features) with labels ``onehot`` (trials x rows x n_classes)."""
        raw: dict[str, Tensor] = {}
        utilities: dict[str, Tensor] = {}
        for metric in self.metrics:
            raw |= metric.measure(reference.prepared[metric.name], x, onehot)
            anchors = reference.anchors[metric.name]
            scale = utility if self._former else open_utility
            utilities[metric.name] = scale(raw[metric.name], anchors, metric.floor)
            if isinstance(metric, Anchored) and metric.abstains:
                raw[f"{metric.name}_weight"] = anchors.weight
        if self._former:
            score = torch.stack([self.weights[name] * value for name, value in utilities.items()]).sum(dim=0)
            return Scorecard(score, utilities, raw)
        shares = {name: self.weights[name] * reference.anchors[name].weight for name in utilities}
        total = torch.stack(list(shares.values())).sum(dim=0)
        weighed = torch.stack([shares[name] * value for name, value in utilities.items()]).sum(dim=0)
        return Scorecard(weighed / total, utilities, raw)


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
