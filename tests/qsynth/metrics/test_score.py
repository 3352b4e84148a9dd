"""The composite score."""

import pytest
import torch
from torch import Tensor

from qsynth.config import parse
from qsynth.data.dataset import Instance
from qsynth.data.tabular import TableData
from qsynth.errors import QsynthError
from qsynth.metrics.metric import Anchors
from qsynth.metrics.registry import FORMER_METRICS, METRICS
from qsynth.metrics.score import REAL_ROWS, UNTRAINED, Reference, ScoreConfig, Scorer, stacked
from qsynth.population.measures import build_metrics
from qsynth.population.trial import TrialConfig


@pytest.fixture(scope="module")
def instance() -> Instance:
    return TableData(name="iris", n_train=40).instance(0, held_out=False)


def scorer(instance: Instance, **weights: float) -> Scorer:
    config = TrialConfig.model_validate({"n_qubits": 4, "score": {"utility": 0, "novelty": 0, **weights}})
    return Scorer(build_metrics(config, instance.n_features, instance.n_classes), config.score)


def noise(instance: Instance, seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(2, 60, instance.n_features, generator=random) - 1
    return x, torch.eye(3)[torch.randint(0, 3, (2, 60), generator=random)]


def reference(made: Scorer, instance: Instance, x: Tensor, onehot: Tensor) -> Reference:
    """Against the validation rows, from one instance's untrained rows."""
    return made.references([instance], [instance.validation], x[None], onehot[None])[0]


def test_weights_are_normalised_over_what_is_measured(instance: Instance) -> None:
    assert scorer(instance, fidelity=3, balance=0).weights == {"fidelity": 0.75, "diversity": 0.25}
    x, onehot = noise(instance, 0)
    cards = []
    for factor in (1, 10):
        made = scorer(instance, fidelity=2 * factor, diversity=factor, balance=factor)
        cards.append(made.measure(stacked([reference(made, instance, x, onehot)] * 2), x, onehot))
    torch.testing.assert_close(cards[0].score, cards[1].score)


def test_the_score_is_the_weighted_sum_of_the_utilities(instance: Instance) -> None:
    made = scorer(instance, fidelity=2, diversity=1, balance=1)
    mark = stacked([reference(made, instance, *noise(instance, 0))] * 2)
    shrunk = 0.5 * torch.as_tensor(instance.reserve.x)[None].expand(2, -1, -1)
    onehot = torch.eye(3)[torch.as_tensor(instance.reserve.y)].expand(2, -1, -1)
    card = made.measure(mark, shrunk, onehot)
    u = card.utilities
    assert list(u) == ["fidelity", "diversity", "balance"]
    torch.testing.assert_close(card.score, 0.5 * u["fidelity"] + 0.25 * u["diversity"] + 0.25 * u["balance"])
    assert ((card.score > 0) & (card.score < 1)).all()


def test_the_score_rises_with_every_utility(instance: Instance) -> None:
    """A better raw value, all else equal, is a higher score: anchors move, rows do not."""
    made = scorer(instance)
    x, onehot = noise(instance, 0)
    mark = stacked([reference(made, instance, x, onehot)] * 2)
    raw = made.measure(mark, x, onehot).raw
    one = torch.ones(2)
    middle = {name: Anchors(raw[name], raw[name] - 1, one) for name in mark.anchors}
    before = made.measure(Reference(mark.prepared, middle), x, onehot)
    torch.testing.assert_close(before.score, torch.full((2,), 0.5))
    for name in middle:
        easier = middle | {name: Anchors(raw[name] + 1, raw[name] - 1, one)}
        after = made.measure(Reference(mark.prepared, easier), x, onehot)
        assert (after.utilities[name] > before.utilities[name]).all()
        assert (after.score > before.score).all()


def test_metrics_without_weight_are_absent(instance: Instance) -> None:
    made = scorer(instance, balance=0, diversity=0)
    x, onehot = noise(instance, 0)
    mark = reference(made, instance, x, onehot)
    card = made.measure(stacked([mark, mark]), x, onehot)
    assert list(mark.prepared) == list(mark.anchors) == list(card.utilities) == list(card.raw) == ["fidelity"]


def test_each_trial_is_measured_with_its_own_yardstick(instance: Instance) -> None:
    made = scorer(instance)
    other = TableData(name="iris", n_train=40).instance(1, held_out=False)
    x, onehot = noise(instance, 0)
    marks = [reference(made, each, x, onehot) for each in (instance, other)]
    together = made.measure(stacked(marks), x, onehot)
    for lane in range(2):
        alone = made.measure(stacked([marks[lane]]), x[lane : lane + 1], onehot[lane : lane + 1])
        for name, values in alone.raw.items():
            torch.testing.assert_close(values[0], together.raw[name][lane])
        torch.testing.assert_close(alone.score[0], together.score[lane])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dict.fromkeys(("fidelity", "diversity", "balance", "utility", "novelty"), 0), "at least one metric above 0"),
        ({"fidelity": -1}, "fidelity: input should be greater than or equal to 0"),
        ({"fidelity": float("inf")}, "fidelity: input should be a finite number"),
        ({"n_rows": 8}, "n_rows"),
    ],
)
def test_weights_that_make_no_score_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        parse(ScoreConfig, values, source="score")


def test_settings_of_runs_before_there_were_kinds_mean_the_former_score() -> None:
    dumped = {"fidelity": 2.0, "diversity": 1.0, "balance": 1.0, "utility": 2.0, "n_rows": 128, "n_untrained": 4}
    former = parse(ScoreConfig, dumped, source="score")
    assert former.kind == UNTRAINED
    assert former.measured(3) == ["fidelity", "diversity", "balance", "utility"]
    assert [former.metric(name) for name in former.measured(3)] == list(FORMER_METRICS.values())
    assert parse(ScoreConfig, former.model_dump(), source="score") == former


def test_settings_without_a_kind_mean_the_present_score() -> None:
    present = parse(ScoreConfig, {"fidelity": 2, "n_rows": 128}, source="score")
    assert present == ScoreConfig(fidelity=2, n_rows=128)
    assert present.kind == REAL_ROWS
    assert present.measured(3) == ["fidelity", "diversity", "balance", "utility", "novelty"]
    assert [present.metric(name) for name in present.measured(3)] == [METRICS[name] for name in present.measured(3)]
    assert parse(ScoreConfig, present.model_dump(), source="score") == present


def test_what_weighs_less_in_an_instance_counts_less_there(instance: Instance) -> None:
    made = scorer(instance, balance=0)
    x, onehot = noise(instance, 0)
    mark = stacked([reference(made, instance, x, onehot)] * 2)
    fidelity, diversity = mark.anchors["fidelity"], mark.anchors["diversity"]
    anchors = {"fidelity": fidelity._replace(weight=torch.tensor([1.0, 0.5])), "diversity": diversity}
    card = made.measure(Reference(mark.prepared, anchors), x, onehot)
    f, d = (card.utilities[name] for name in ("fidelity", "diversity"))
    wanted = [(f[0] + d[0]) / 2, (0.5 * f[1] + d[1]) / 1.5]
    torch.testing.assert_close(card.score, torch.stack(wanted))
