"""What every metric must hold to: real rows are best, and its utility is 1 for a second real sample."""

import pytest
import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.data.tabular import TableData
from qsynth.metrics.metric import Anchored, Metric
from qsynth.metrics.registry import FORMER_METRICS, METRICS
from qsynth.metrics.score import REAL_ROWS, UNTRAINED, Reference, ScoreConfig, Scorer, stacked
from qsynth.population.measures import build_metrics
from qsynth.population.trial import TrialConfig

N_ROWS = 96
Rows = tuple[Tensor, Tensor]
KINDS = [*((REAL_ROWS, name) for name in METRICS), *((UNTRAINED, name) for name in FORMER_METRICS)]


def score(kind: str, name: str) -> ScoreConfig:
    weights = {metric: float(metric == name) for metric in METRICS}
    return ScoreConfig.model_validate({"kind": kind, **weights})


def make(kind: str, name: str, instance: Instance) -> Metric:
    config = TrialConfig.model_validate(
        {"n_qubits": 4, "score": score(kind, name), "qnn": {"n_steps": 12, "n_layers": 1, "n_starts": 2}}
    )
    [metric] = build_metrics(config, instance.n_features, instance.n_classes)
    return metric


@pytest.fixture(scope="module", params=["iris", "breast_cancer"])
def instance(request: pytest.FixtureRequest) -> Instance:
    return TableData(name=request.param, n_train=50).instance(0, held_out=False)


@pytest.fixture(params=KINDS, ids="-".join)
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def metric(kind: tuple[str, str], instance: Instance) -> Metric:
    return make(*kind, instance)


def rows_of(part: Split, n_classes: int) -> Rows:
    return torch.as_tensor(part.x), torch.eye(n_classes)[torch.as_tensor(part.y)]


def collapsed(instance: Instance, seed: int) -> Rows:
    """The same row in all classes: unlike the data, without variety, in one class's place, misleading."""
    random = torch.Generator().manual_seed(seed)
    train = torch.as_tensor(instance.train.x)
    centre = train[torch.as_tensor(instance.train.y) == 0].mean(dim=0)
    labels = torch.randint(1, instance.n_classes, (N_ROWS,), generator=random)
    x = centre + 0.01 * torch.randn(N_ROWS, instance.n_features, generator=random)
    return x, torch.eye(instance.n_classes)[labels]


def bad_rows(metric: Metric, instance: Instance) -> Rows:
    """Rows that the metric must see through."""
    return rows_of(instance.train, instance.n_classes) if metric.name == "novelty" else collapsed(instance, 0)


def reference(metric: Metric, kind: str, instance: Instance, bad: Rows) -> tuple[Scorer, Reference]:
    scorer = Scorer([metric], score(kind, metric.name))
    return scorer, scorer.references([instance], [instance.validation], bad[0][None, None], bad[1][None, None])[0]


def raw(metric: Metric, instance: Instance, *trials: Rows) -> Tensor:
    ready = metric.prepare(instance, instance.validation)
    prepared = {name: value.expand(len(trials), *value.shape) for name, value in ready.items()}
    x, onehot = (torch.stack(values) for values in zip(*trials, strict=True))
    return metric.measure(prepared, x, onehot)[metric.name]


def test_real_rows_are_best_and_bad_rows_worse(metric: Metric, instance: Instance) -> None:
    [real] = raw(metric, instance, rows_of(instance.validation, instance.n_classes))
    [bad] = raw(metric, instance, bad_rows(metric, instance))
    assert bad > real + max(metric.floor, 0.03)
    if metric.name in FORMER_METRICS and not isinstance(metric, Anchored) and metric.name != "utility":
        assert 0 <= real < 1e-6  # a classifier's loss is not 0 on the best of rows


def test_utility_runs_between_the_anchors(metric: Metric, kind: tuple[str, str], instance: Instance) -> None:
    bad = collapsed(instance, 0)
    scorer, mark = reference(metric, kind[0], instance, bad)
    anchors = mark.anchors[metric.name]
    assert anchors.far > anchors.real
    assert 0 < anchors.weight <= 1
    if kind[0] == UNTRAINED or metric.name == "utility":
        reserve = rows_of(instance.reserve, instance.n_classes)
        cases = [(reserve, 1.0), *([(bad, 0.0)] if kind[0] == UNTRAINED else [])]
        for rows, expected in cases:
            card = scorer.measure(stacked([mark]), rows[0][None], rows[1][None])
            assert card.utilities[metric.name].item() == pytest.approx(expected, abs=1e-5)
            assert card.score.item() == pytest.approx(expected, abs=1e-5)


def test_what_is_not_finite_scores_within_bounds_and_harms_no_other_trial(
    metric: Metric, kind: tuple[str, str], instance: Instance
) -> None:
    scorer, mark = reference(metric, kind[0], instance, collapsed(instance, 0))
    good = tuple(part[:40] for part in rows_of(instance.reserve, instance.n_classes))
    alone = scorer.measure(stacked([mark]), good[0][None], good[1][None]).score[0]
    for value in (torch.nan, torch.inf, -torch.inf, 1e30):
        x = torch.stack([torch.full_like(good[0], value), good[0]])
        card = scorer.measure(stacked([mark, mark]), x, torch.stack([good[1], good[1]]))
        for found in (card.score, card.utilities[metric.name]):
            assert torch.isfinite(found).all()
            assert ((found >= 0) & (found <= (1 if kind[0] == UNTRAINED else 2))).all()
        torch.testing.assert_close(card.score[1], alone, rtol=1e-4, atol=1e-5)
        if metric.name in ("fidelity", "utility"):
            assert card.score[0] == pytest.approx(0, abs=1e-6)


def test_the_order_of_the_rows_is_irrelevant(metric: Metric, instance: Instance) -> None:
    x, onehot = rows_of(instance.train, instance.n_classes)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    one, other = raw(metric, instance, (x, onehot), (x[order], onehot[order]))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_trials_are_measured_independently(metric: Metric, instance: Instance) -> None:
    first, second, third = (collapsed(instance, seed) for seed in range(3))
    together = raw(metric, instance, first, second)
    torch.testing.assert_close(raw(metric, instance, first, third)[0], together[0])
    torch.testing.assert_close(raw(metric, instance, second, first), together.flip(0))
    torch.testing.assert_close(raw(metric, instance, second)[0], together[1], rtol=1e-4, atol=1e-5)


def test_every_instance_of_a_source_prepares_the_same_shapes(metric: Metric, instance: Instance) -> None:
    other = TableData(name=instance.key.partition("#")[0], n_train=50).instance(1, held_out=True)
    one, two = (metric.prepare(each, each.validation) for each in (instance, other))
    assert {name: value.shape for name, value in one.items()} == {name: value.shape for name, value in two.items()}
