"""Trials in lockstep: repeatable, independent of their neighbours, and able to learn."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from qsynth.data.dataset import Instance
from qsynth.data.gaussian import GaussianFamily
from qsynth.data.labels import stratified
from qsynth.data.tabular import TableData
from qsynth.errors import QsynthError
from qsynth.execution import compilation
from qsynth.population.population import Population, TrainingStatistics
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig

TINY = {
    "n_qubits": 2,
    "capacity": {"latent_dim": 3, "n_layers": 2, "critic_width": 8, "batch_size": 8, "n_critic": 3},
    "defaults": {"n_layers": 2, "critic_width": 8, "batch_size": 8, "n_critic": 2},
    "score": {"balance": 0, "utility": 0, "n_rows": 64},
}
SOURCE = GaussianFamily(n_train=64, n_validation=64, n_test=64)
LR = {"lr_generator": 0.02, "lr_critic": 0.02}


def config(**changes: Any) -> TrialConfig:
    return TrialConfig.model_validate({**TINY, **changes})


def instances(n: int) -> list[Instance]:
    return [SOURCE.instance(seed, held_out=False) for seed in range(n)]


def population(n_lanes: int = 3, seeds: Sequence[int] | None = None, **changes: Any) -> Population:
    made = Population(config(**changes), 1, 1, n_lanes)
    made.reset(range(n_lanes), instances(n_lanes), seeds or range(10, 10 + n_lanes))
    return made


def state(pop: Population, lane: int) -> dict[str, Any]:
    """All of a trial."""
    snapshot = pop.snapshot(lane)
    about = {**snapshot.hyperparameters, "seed": snapshot.seed, "iteration": snapshot.iteration}
    return {**snapshot.tensors, **about, "instance": snapshot.instance}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Bit for bit."""
    assert one.keys() == other.keys()
    return all(
        torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name]
        for name, value in one.items()
    )


def statistics(found: TrainingStatistics) -> Iterator[tuple[str, np.ndarray]]:
    return ((field.name, getattr(found, field.name)) for field in fields(found))


def damaged(snapshot: Snapshot, value: float) -> Snapshot:
    tensors = {**snapshot.tensors, "generator": torch.full_like(snapshot.tensors["generator"], value)}
    return Snapshot(
        tensors=tensors,
        hyperparameters=snapshot.hyperparameters,
        instance=snapshot.instance,
        seed=snapshot.seed,
        iteration=snapshot.iteration,
    )


# Repeatable and independent


def test_a_run_repeats_bit_for_bit_and_depends_on_its_seed() -> None:
    runs = []
    for seeds in ((1, 2, 3), (1, 2, 3), (1, 2, 4)):
        pop = population(seeds=seeds)
        runs.append((pop, pop.advance(6), pop.evaluate()))
    for lane in range(3):
        assert same(state(runs[0][0], lane), state(runs[1][0], lane))
    assert same(state(runs[0][0], 1), state(runs[2][0], 1))
    assert not torch.equal(state(runs[0][0], 2)["generator"], state(runs[2][0], 2)["generator"])
    assert torch.equal(runs[0][2].score, runs[1][2].score)
    for (_, one), (_, other) in zip(statistics(runs[0][1]), statistics(runs[1][1]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_how_the_iterations_are_cut_is_irrelevant() -> None:
    whole, pieces = population(), population()
    together = whole.advance(6)
    parts = [(n, pieces.advance(n)) for n in (1, 3, 2)]
    for lane in range(3):
        assert same(state(whole, lane), state(pieces, lane))
    assert whole.iterations.tolist() == [6, 6, 6]
    averaged = TrainingStatistics.average(parts)
    for (name, one), (_, other) in zip(statistics(together), statistics(averaged), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_lane_alone_does_what_it_does_among_others() -> None:
    """Neighbours with other sizes, other instances and more critic updates are not felt."""
    changes = {"n_critic": [3, 1, 2], "latent_dim": [3, 1, 2], "batch_size": [8, 5, 3], "critic_width": [8, 3, 6]}
    among = population()
    among.apply({**{name: np.array(values) for name, values in changes.items()}, "n_layers": np.array([2, 1, 1])})
    among.apply({name: np.full(3, value) for name, value in LR.items()})
    learned, card = among.advance(10), among.evaluate()
    for lane in range(3):
        alone = Population(config(), 1, 1, 1)
        alone.reset([0], [instances(3)[lane]], [10 + lane])
        alone.apply({name: among.values[name][[lane]] for name in among.values})
        own = alone.advance(10)
        for name in ("generator", "critic"):
            torch.testing.assert_close(state(alone, 0)[name], state(among, lane)[name], rtol=0, atol=1e-4)
        for (name, one), (_, other) in zip(statistics(own), statistics(learned), strict=True):
            np.testing.assert_allclose(one[0], other[lane], rtol=1e-3, atol=1e-4, err_msg=name)
        torch.testing.assert_close(alone.evaluate().score[0], card.score[lane], rtol=0, atol=1e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_a_diverged_lane_is_marked_and_harms_no_other(value: float) -> None:
    plain, hurt = population(), population()
    for pop in (plain, hurt):
        pop.apply({"lr_generator": np.array([0.02, 1.0, 0.02])})
        pop.advance(2)
    hurt.restore(1, damaged(hurt.snapshot(1), value), instances(3)[1])
    for pop in (plain, hurt):
        pop.advance(3)
    assert hurt.diverged.tolist() == [False, True, False]
    assert plain.diverged.tolist() == [False, False, False]
    scores = plain.evaluate().score, hurt.evaluate().score
    for lane in (0, 2):
        assert same(state(plain, lane), state(hurt, lane))
        assert scores[0][lane] == scores[1][lane]
    assert torch.isfinite(scores[1]).all()
    hurt.reset([1], [instances(3)[1]], [11])
    hurt.advance(1)
    assert not hurt.diverged.any()
    assert torch.isfinite(hurt.evaluate().score).all()


def test_reset_of_one_lane_starts_it_afresh_and_leaves_the_others() -> None:
    one, two = population(), population()
    for pop in (one, two):
        pop.apply({"beta1": np.array([0.1, 0.2, 0.3])})
        pop.advance(4)
    new = SOURCE.instance(99, held_out=False)
    two.reset([1], [new], [77])
    assert two.iterations.tolist() == [4, 0, 4]
    fresh = Population(config(), 1, 1, 1)
    fresh.reset([0], [new], [77])
    assert same(state(two, 1), state(fresh, 0))
    for lane in (0, 2):
        assert same(state(one, lane), state(two, lane))
    one.advance(3)
    two.advance(3)
    fresh.advance(3)
    for lane in (0, 2):
        assert same(state(one, lane), state(two, lane))
    torch.testing.assert_close(state(two, 1)["generator"], state(fresh, 0)["generator"], rtol=0, atol=1e-4)


# Snapshots


def test_a_trial_goes_on_bit_for_bit_from_a_file(tmp_path: Path) -> None:
    pop = population()
    pop.apply({"n_critic": np.array([2, 3, 1]), "lr_critic": np.array([1e-3, 1 / 3e2, 1e-2])})
    pop.advance(4)
    pop.snapshot(1).save(tmp_path / "trial")
    learned = pop.advance(4)

    again = population(seeds=[50, 51, 52])
    again.apply(pop.values)
    again.advance(1)
    again.restore(1, Snapshot.load(tmp_path / "trial"), instances(3)[1])
    assert again.iterations.tolist() == [1, 4, 1]
    repeated = again.advance(4)
    assert same(state(pop, 1), state(again, 1))
    assert pop.evaluate().score[1] == again.evaluate().score[1]
    for (name, one), (_, other) in zip(statistics(learned), statistics(repeated), strict=True):
        assert one[1] == other[1], name


def test_a_snapshot_is_a_copy() -> None:
    pop = population()
    pop.advance(1)
    snapshot, before = pop.snapshot(1), state(pop, 1)["generator"].clone()
    pop.reset([1], [instances(3)[1]], [99])
    assert torch.equal(snapshot.tensors["generator"], before)
    assert not torch.equal(state(pop, 1)["generator"], before)


def test_a_snapshot_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    pop = population()
    pop.advance(2)
    good, before = pop.snapshot(0), state(pop, 0)

    def variant(tensors: dict[str, torch.Tensor]) -> Snapshot:
        return Snapshot(
            tensors=tensors,
            hyperparameters=good.hyperparameters,
            instance=good.instance,
            seed=good.seed,
            iteration=good.iteration,
        )

    with pytest.raises(QsynthError, match="must be restored on it; got"):
        pop.restore(0, good, instances(2)[1])
    missing = {name: value for name, value in good.tensors.items() if name != "critic_adam.second"}
    with pytest.raises(QsynthError, match=r"must hold critic_adam\.second of shape"):
        pop.restore(0, variant(missing), instances(1)[0])
    with pytest.raises(QsynthError, match="must hold generator of shape"):
        pop.restore(0, variant({**good.tensors, "generator": torch.zeros(3)}), instances(1)[0])
    assert same(state(pop, 0), before)


# Hyperparameters


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lr_generater", 0.1, r"'lr_generater' must be a hyperparameter\. Did you mean 'lr_generator'\?"),
        ("lr_generator", float("nan"), "lr_generator must be within"),
        ("lr_generator", float("inf"), "lr_generator must be within"),
        ("lr_generator", -0.1, r"lr_generator must be within 0\.\.1; got"),
        ("lr_critic", 1.5, r"lr_critic must be within 0\.\.1; got"),
        ("gp_weight", -1, r"gp_weight must be within 0\.\.1000; got"),
        ("beta1", 1, r"beta1 must be within"),
        ("n_critic", 0, r"n_critic must be whole and within 1\.\.3; got"),
        ("n_critic", 4, r"n_critic must be whole and within 1\.\.3; got"),
        ("latent_dim", 1.5, r"latent_dim must be whole and within 1\.\.3; got"),
        ("batch_size", 9, r"batch_size must be whole and within 2\.\.8; got"),
        ("n_layers", 3, r"n_layers must be whole"),
        ("critic_width", 9, r"critic_width must be whole"),
    ],
)
def test_bad_hyperparameters_are_refused_and_nothing_changes(name: str, value: float, message: str) -> None:
    pop = population(2)
    before = state(pop, 0), state(pop, 1)
    good = pop.values.get(name, np.ones(2)).copy()
    for values in (np.array([good[0], value]), np.array([value, good[0]])):
        with pytest.raises(QsynthError, match=message) as caught:
            pop.apply({"gp_weight": np.full(2, 7.0), name: values} if name != "gp_weight" else {name: values})
        assert "\n" not in str(caught.value)
    assert (same(state(pop, 0), before[0]), same(state(pop, 1), before[1])) == (True, True)


def test_hyperparameters_act_in_their_lane() -> None:
    plain = population(penalty="two_sided")
    plain.advance(3)
    for name, value in {
        "lr_generator": 0.1,
        "lr_critic": 0.1,
        "gp_weight": 50.0,
        "beta1": 0.0,
        "n_critic": 1,
        "batch_size": 3,
        "latent_dim": 1,
        "n_layers": 1,
        "critic_width": 4,
    }.items():
        changed = population(penalty="two_sided")
        values = changed.values[name].copy()
        values[1] = value
        changed.apply({name: values})
        changed.advance(3)
        for lane in (0, 2):
            assert same(state(plain, lane), state(changed, lane)), name
        assert not torch.equal(state(plain, 1)["generator"], state(changed, 1)["generator"]), name


def test_a_learning_rate_of_0_stops_one_network() -> None:
    pop = population(2)
    before = state(pop, 0)
    pop.apply({"lr_generator": np.zeros(2), "lr_critic": np.full(2, 0.1)})
    pop.advance(2)
    assert torch.equal(before["generator"], state(pop, 0)["generator"])
    assert not torch.equal(before["critic"], state(pop, 0)["critic"])


def test_the_generator_learns_from_the_critic_as_its_updates_left_it() -> None:
    gradients = []
    for lr in (0.0, 0.1):
        pop = population()
        pop.apply({"lr_critic": np.full(3, lr)})
        gradients.append(pop.advance(1).gradient_generator)
    assert (np.abs(gradients[0] - gradients[1]) > 1e-3 * gradients[0]).all()


def test_statistics_are_means_over_critic_updates() -> None:
    """With frozen networks, more updates an iteration sample the same mean."""
    pop = population(2)
    pop.reset(range(2), instances(1) * 2, [10, 10])
    pop.apply({"lr_generator": np.zeros(2), "lr_critic": np.zeros(2), "n_critic": np.array([1, 3])})
    learned = pop.advance(60)
    assert learned.gradient_critic[1] == pytest.approx(learned.gradient_critic[0], rel=0.2)
    assert learned.critic_gap[1] == pytest.approx(learned.critic_gap[0], rel=0.5)


def test_what_a_trial_was_not_built_with_is_refused() -> None:
    pop = population(2)
    for name, message in (
        ("vae_width", "vae_width must be a hyperparameter that the trial was built with"),
        ("weight_average", "was built with; name it in search_space, or give it another default"),
    ):
        with pytest.raises(QsynthError, match=message):
            pop.apply({name: np.full(2, 0.5)})


# The average of the generator's parameters


def test_the_average_decays_as_it_should_and_is_what_makes_rows() -> None:
    pop = population(2, defaults={**TINY["defaults"], "weight_average": 0.5})
    pop.apply({name: np.full(2, 0.05) for name in LR})
    pop.apply({"weight_average": np.array([0.5, 0.0])})
    expected = pop.snapshot(0).tensors["generator"]
    for step in range(12):
        pop.advance(1)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * pop.snapshot(0).tensors["generator"]
    kept, plain = pop.snapshot(0), pop.snapshot(1)
    torch.testing.assert_close(kept.tensors["average"], expected)
    assert torch.equal(kept.generator, kept.tensors["average"])
    assert not torch.equal(kept.generator, kept.tensors["generator"])
    assert torch.equal(plain.tensors["average"], plain.tensors["generator"])  # at a decay of 0
    score, rows = pop.evaluate().score[0], pop.sample(0, torch.ones(9, 1), seed=1)
    pop.restore(0, replace(kept, tensors={**kept.tensors, "average": kept.tensors["generator"]}), instances(1)[0])
    assert pop.evaluate().score[0] != score
    assert not torch.equal(pop.sample(0, torch.ones(9, 1), seed=1), rows)


def test_a_snapshot_without_an_average_starts_one() -> None:
    old = population(2)
    old.advance(2)
    snapshot = old.snapshot(0)
    assert "average" not in snapshot.tensors
    pop = population(2, defaults={**TINY["defaults"], "weight_average": 0.9})
    pop.restore(0, snapshot, instances(1)[0])
    assert torch.equal(pop.snapshot(0).tensors["average"], snapshot.tensors["generator"])
    assert pop.values["weight_average"][0] == 0.9


def test_a_snapshot_with_an_average_needs_a_trial_that_keeps_one() -> None:
    pop = population(2, defaults={**TINY["defaults"], "weight_average": 0.9})
    with pytest.raises(QsynthError, match="weight_average must be a hyperparameter that the trial was built with"):
        population(2).restore(0, pop.snapshot(0), instances(1)[0])


def test_noise_on_what_the_critic_sees_is_new_at_every_update_and_of_the_size_asked_for() -> None:
    """A critic that is linear in one feature tells the noise by the spread of its scores; here by the batches."""
    pop = population(1, defaults={**TINY["defaults"], "instance_noise": 0.5})
    one, quiet = pop._controls.of_lane(0), pop._controls.of_lane(0)._replace(instance_noise=torch.tensor(0.0))
    found = []
    for iteration in range(40):
        where = pop._rows[0], pop._n_rows[0], pop._seeds[0], torch.tensor(iteration)
        flat = pop.snapshot(0).tensors["generator"]
        batches = (pop._update.critic_batches(flat, using, *where) for using in (one, quiet))
        for noisy, plain in zip(*batches, strict=True):
            found.append(torch.stack([noisy.real - plain.real, noisy.fake - plain.fake]))
    noise = torch.stack(found)
    assert noise.std().item() == pytest.approx(0.5, rel=0.05)
    assert abs(noise.mean().item()) < 0.05
    assert len(noise.unique()) > 0.98 * noise.numel()  # differences are rounded


# Shapes


def test_instances_must_fit() -> None:
    pop = population()
    with pytest.raises(QsynthError, match="must have 1 features and 1 classes; got 4 and 2"):
        pop.reset([0], [TableData(name="breast_cancer").instance(0, held_out=False)], [0])
    longer = GaussianFamily(n_train=80, n_validation=64).instance(0, held_out=False)
    before = state(pop, 0), state(pop, 1)
    with pytest.raises(QsynthError, match=r"same \(train, validation\) rows; got \[\(64, 64\), \(80, 64\)\]"):
        pop.reset([1], [longer], [0])
    assert (same(state(pop, 0), before[0]), same(state(pop, 1), before[1])) == (True, True)
    pop.reset(range(3), [longer] * 3, [0, 1, 2])
    pop.advance(1)
    assert not pop.diverged.any()


def test_features_must_fit_on_the_qubits() -> None:
    with pytest.raises(QsynthError, match="n_qubits must suffice for the data's 3 features; got 2"):
        Population(config(), 3, 1, 1)


def test_every_lane_must_be_reset_first() -> None:
    pop = Population(config(), 1, 1, 2)
    pop.reset([0], instances(1), [0])
    with pytest.raises(QsynthError, match="every lane must be reset"):
        pop.evaluate()


def test_samples_have_the_shape_and_range_that_were_asked_for_and_follow_the_label() -> None:
    source = TableData(name="iris", n_train=40)
    pop = Population(config(n_qubits=4), 4, 3, 2)
    pop.reset(range(2), [source.instance(seed, held_out=False) for seed in range(2)], [1, 2])
    onehot = torch.eye(3)[torch.arange(50) % 3]
    rows = pop.sample(1, onehot, seed=5)
    assert rows.shape == (50, 4)
    assert (rows.abs() <= 1 + 1e-6).all()
    assert len(rows.unique(dim=0)) == 50
    assert torch.equal(rows, pop.sample(1, onehot, seed=5))
    assert not torch.equal(rows, pop.sample(1, onehot, seed=6))
    assert not torch.equal(rows, pop.sample(0, onehot, seed=5))
    assert not torch.equal(rows, pop.sample(1, onehot.roll(1, dims=1), seed=5))
    assert pop.sample(1, onehot[:7], seed=5).shape == (7, 4)


def test_evaluation_compares_with_the_part_that_was_asked_for_and_changes_nothing() -> None:
    pop = population()
    pop.advance(2)
    before = state(pop, 0)
    validation, test = pop.evaluate(), pop.evaluate("test")
    assert list(validation.utilities) == pop.metric_names == ["fidelity", "diversity", "novelty"]
    assert validation.score.shape == (3,)
    assert not torch.equal(validation.raw["fidelity"], test.raw["fidelity"])
    assert torch.equal(validation.score, pop.evaluate("validation").score)
    assert same(before, state(pop, 0))


def test_all_metrics_are_measured_on_labelled_data() -> None:
    quick = {"n_rows": 64}
    pop = Population(config(n_qubits=4, score=quick, qnn={"n_steps": 3, "n_layers": 1}), 4, 2, 2)
    source = TableData(name="breast_cancer", n_train=40)
    pop.reset(range(2), [source.instance(seed, held_out=False) for seed in range(2)], [1, 2])
    pop.advance(1)
    card = pop.evaluate()
    assert list(card.utilities) == pop.metric_names == ["fidelity", "diversity", "balance", "utility", "novelty"]
    weights = torch.stack([card.raw.get(f"{name}_weight", torch.ones(2)) for name in card.utilities])
    expected = (weights * torch.stack(list(card.utilities.values()))).sum(dim=0) / weights.sum(dim=0)
    torch.testing.assert_close(card.score, expected)
    assert "qnn_accuracy" in card.raw


# Learning


def test_it_learns_the_benchmark() -> None:
    """N(0, 0.2), the target of Gunduz 2025: the Wasserstein distance falls to a third."""
    weights = {"balance": 0, "utility": 0}
    pop = Population(TrialConfig.model_validate({"n_qubits": 2, "score": weights}), 1, 1, 4)
    target = GaussianFamily().instance(0, held_out=True)
    pop.reset(range(4), [target] * 4, range(4))
    before = pop.evaluate()
    first = pop.advance(20)
    pop.advance(180)
    after = pop.evaluate()
    assert after.raw["fidelity"].mean() < before.raw["fidelity"].mean() / 3
    assert (after.raw["fidelity"] < 0.13).all()
    assert (after.utilities["fidelity"] > before.utilities["fidelity"]).all()
    assert not pop.diverged.any()
    assert all(np.isfinite(values).all() for _, values in statistics(first))
    rows = pop.sample(0, torch.ones(1000, 1), seed=1)
    assert abs(rows.mean()) < 0.15
    assert 0.08 < rows.std() < 0.35


def test_it_learns_what_belongs_to_which_class() -> None:
    """The first principal component of iris has a mean of its own in each species."""
    instance = TableData(name="iris", n_train=40, n_features=1).instance(0, held_out=False)
    defaults = {"n_layers": 2, "lr_generator": 0.01, "lr_critic": 0.01}
    pop = Population(
        TrialConfig.model_validate({"n_qubits": 3, "score": {"utility": 0}, "defaults": defaults}), 1, 3, 2
    )
    pop.reset(range(2), [instance] * 2, [0, 1])
    pop.advance(120)
    for label in range(3):
        wanted = instance.train.x[instance.train.y == label].mean()
        for lane in range(2):
            made = pop.sample(lane, torch.eye(3)[torch.full((300,), label)], seed=1)
            assert made.mean().item() == pytest.approx(wanted, abs=0.25)


# Engines


def test_a_device_trains_the_same_trials() -> None:
    """The same circuit on a PennyLane device instead of the statevector engine."""
    small = {"n_critic": 1, "batch_size": 3}
    changes = {"defaults": {"n_layers": 2, "critic_width": 8, **small}, "capacity": {**TINY["capacity"], **small}}  # type: ignore[dict-item]
    runs = []
    for engine in ({}, {"name": "lightning.qubit"}):
        pop = population(2, engine=engine, **changes)
        pop.advance(2)
        runs.append(pop)
    assert [pop.engine.name for pop in runs] == ["statevector", "lightning.qubit"]
    for lane in range(2):
        # Adam blows up rounding errors in angles that hardly matter, so it is the outputs that are compared.
        one, other = (pop.sample(lane, torch.ones(50, 1), seed=1) for pop in runs)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)
        critics = (state(pop, lane)["critic"] for pop in runs)
        torch.testing.assert_close(*critics, rtol=0, atol=1e-4)


def test_a_readout_of_two_paulis_makes_more_features_than_qubits() -> None:
    source = TableData(name="iris", n_train=40)
    made = config(n_qubits=2, readout="zx", score={"utility": 1, "n_rows": 32}, qnn={"n_steps": 2})
    pop = Population(made, 4, 3, 2)
    pop.reset(range(2), [source.instance(index, held_out=False) for index in range(2)], [1, 2])
    pop.advance(2)
    card = pop.evaluate()
    assert torch.isfinite(card.score).all()
    assert torch.isfinite(card.raw["utility"]).all()
    assert pop.sample(0, torch.eye(3), seed=1).shape == (3, 4)
    with pytest.raises(QsynthError, match="5 features; got 2, of which readout 'zx' makes 4"):
        Population(made, 5, 3, 2)


SAMPLED = {"engine": {"shots": 20}, "readout": ["ZI", "XX"]}


def test_trials_train_on_finite_shots_and_repeat_bit_for_bit() -> None:
    exact, one, other = population(), population(**SAMPLED), population(**SAMPLED)
    for pop in (exact, one, other):
        pop.advance(4)
    assert one.engine.name == "statevector"
    for lane in range(3):
        assert same(state(one, lane), state(other, lane))
    assert torch.equal(one.evaluate().score, other.evaluate().score)
    assert not torch.equal(state(one, 0)["generator"], state(exact, 0)["generator"])
    rows = one.sample(0, torch.ones(200, 1), seed=1)
    assert len(rows.unique()) == 200  # and not the 21 values of 20 shots


def test_a_generator_of_probabilities_trains() -> None:
    pop = Population(config(readout="probabilities"), 4, 3, 2)
    source = TableData(name="iris", n_train=40)
    pop.reset(range(2), [source.instance(seed, held_out=False) for seed in range(2)], [1, 2])
    pop.advance(2)
    assert torch.isfinite(pop.evaluate().score).all()
    rows = pop.sample(0, torch.eye(3), seed=1)
    torch.testing.assert_close(((rows + 1) / 2).sum(dim=1), torch.ones(3))


def test_shots_are_what_circuits_take_whenever_they_run() -> None:
    space = {"shots": {"kind": "float", "low": 2, "high": 20, "log": True}}
    pop, plain = population(2, [7, 7], search_space=space, **SAMPLED), population(2, [7, 7], **SAMPLED)
    pop.apply({"shots": np.array([20.0, 2.4])})
    # Of the 20 shots in each basis the second lane takes 2; gradients are exact.
    for all_of_them, few, wanted in (
        (pop.lane_cost(0), pop.lane_cost(1), plain.lane_cost(0)),
        (pop.lane_evaluation_cost(0), pop.lane_evaluation_cost(1), plain.lane_evaluation_cost(0)),
    ):
        assert all_of_them.circuits == few.circuits
        assert all_of_them.shots == 10 * few.shots == wanted.shots > 0
    both = pop.evaluation_cost()
    assert both == pop.lane_evaluation_cost(0) + pop.lane_evaluation_cost(1)
    for act in (lambda each: each.evaluate().score, lambda each: each.sample(0, torch.ones(9, 1), seed=3)):
        assert torch.equal(act(pop)[0], act(plain)[0])
    assert not torch.equal(pop.evaluate().score[1], plain.evaluate().score[1])
    assert not torch.equal(pop.sample(1, torch.ones(9, 1), seed=3), plain.sample(1, torch.ones(9, 1), seed=3))
    spent = pop.spent
    pop.advance(2)
    plain.advance(2)
    assert pop.spent - spent == pop.iteration_cost() * 2
    assert torch.equal(pop.snapshot(0).tensors["generator"], plain.snapshot(0).tensors["generator"])
    assert not torch.equal(pop.snapshot(1).tensors["generator"], plain.snapshot(1).tensors["generator"])
    # All of them are what a population has that does not tune them; an old snapshot says so by a share.
    snapshot = pop.snapshot(0)
    assert snapshot.hyperparameters["shots"] == 20
    for given in (snapshot.hyperparameters, {**plain.snapshot(0).hyperparameters, "shot_share": 1.0}):
        plain.restore(1, replace(snapshot, hyperparameters=given), plain.instances[0])
    with pytest.raises(QsynthError, match="shots must be a hyperparameter that the trial was built with"):
        plain.restore(0, pop.snapshot(1), pop.instances[1])


@pytest.mark.slow
def test_compiled_trials_train_on_finite_shots() -> None:
    """Other rounding means other shots, so it is the spread of what they make that is compared."""
    made = Population(config(**SAMPLED), 1, 1, 3, compiled=True)
    made.reset(range(3), instances(3), range(10, 13))
    eager = population(**SAMPLED)
    for pop in (made, eager):
        pop.apply({"lr_generator": np.zeros(3), "lr_critic": np.zeros(3)})
    found, wanted = (pop.advance(40) for pop in (made, eager))
    assert made.compiled
    np.testing.assert_allclose(found.spread, wanted.spread, rtol=0.1)
    again = Population(config(**SAMPLED), 1, 1, 3, compiled=True)
    again.reset(range(3), instances(3), range(10, 13))
    again.apply({"lr_generator": np.zeros(3), "lr_critic": np.zeros(3)})
    np.testing.assert_array_equal(again.advance(40).spread, found.spread)


def test_a_population_that_cant_be_compiled_is_the_eager_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    monkeypatch.setattr(compilation, "compile_function", lambda *_: 1 / 0)
    made, eager = Population(config(), 1, 1, 3, compiled=True), population()
    made.warm_up(instances(1)[0])
    made.reset(range(3), instances(3), range(10, 13))
    for each in (made, eager):
        each.advance(2)
    assert torch.equal(made.evaluate().score, eager.evaluate().score)
    assert all(same(state(made, lane), state(eager, lane)) for lane in range(3))
    [warning] = [record.getMessage() for record in caplog.records]
    assert "ZeroDivisionError" in warning


@pytest.fixture(scope="module")
def compiled() -> Population:
    made = Population(config(), 1, 1, 3, compiled=True)
    made.warm_up(instances(1)[0])
    return made


@pytest.mark.slow
def test_compiled_trials_are_the_eager_ones(compiled: Population) -> None:
    eager = population()
    compiled.reset(range(3), instances(3), range(10, 13))
    for pop in (eager, compiled):
        pop.apply({"n_critic": np.array([1, 2, 3]), "n_layers": np.array([2, 1, 2]), "batch_size": np.array([8, 4, 6])})
    once = [pop.advance(1) for pop in (eager, compiled)]
    # The lane with one critic update: Adam makes whole steps of what is but a rounding error, which others then feel.
    one, other = state(eager, 0), state(compiled, 0)
    for name in ("generator", "critic"):
        real = one[f"{name}_adam.first"].abs() > 1e-5
        assert real.any()
        torch.testing.assert_close(one[name][real], other[name][real], rtol=0, atol=1e-4)
    later = [pop.advance(9) for pop in (eager, compiled)]
    for lane in range(3):
        rows = [pop.sample(lane, torch.ones(50, 1), seed=1) for pop in (eager, compiled)]
        torch.testing.assert_close(*rows, rtol=0, atol=0.01)
    for name in ("critic_gap", "penalty", "spread", "gradient_critic"):
        for runs, tolerance in ((once, 1e-4), (later, 0.01)):
            one, other = (getattr(found, name) for found in runs)
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.slow
def test_a_compiled_population_compiles_nothing_when_hyperparameters_change(
    compiled: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: Any) -> None:
        raise AssertionError("compiled again")

    compiled.reset(range(3), instances(3), range(3))
    monkeypatch.setattr(compilation, "_compile", unexpected)
    for n_critic, n_layers, width in ((1, 1, 2), (3, 2, 8)):
        compiled.apply({"n_critic": np.full(3, n_critic), "n_layers": np.full(3, n_layers)})
        compiled.apply({"critic_width": np.full(3, width), "lr_critic": np.full(3, 0.01 * width)})
        compiled.advance(2)
        compiled.evaluate()


# Labels to evaluate with


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.5], [1 / 3] * 3, [0.62, 0.0, 0.31, 0.07], [0.999, 0.001]])
@pytest.mark.parametrize("size", [32, 100, 257])
def test_labels_have_the_shares_and_are_mixed(shares: list[float], size: int) -> None:
    labels = stratified(np.array(shares), size)
    counts = np.bincount(labels, minlength=len(shares))
    assert labels.shape == (size,)
    assert (np.abs(counts - np.array(shares) * size) < 1).all()
    assert counts[np.array(shares) == 0].sum() == 0
    for prefix in range(1, size):
        found = np.bincount(labels[:prefix], minlength=len(shares))
        assert np.abs(found - np.array(shares) * prefix).max() < 3
