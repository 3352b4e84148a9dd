"""The agent in somebody's own loop: as in ours when it is told as much, and honest about what it isn't told."""

import numpy as np
import pytest

from qsynth.errors import QsynthError
from qsynth.space.search_space import Float
from rl_envs.agents import TrainedAgent
from rl_envs.named_metrics import NamedMetrics, metric_names
from rl_envs.observation import PROBLEM, VALUE
from rl_envs.pretrained import agent_file, card
from rl_envs.schedule_agent import ScheduleAgent
from tests.rl_envs.tiny import tuner

START = {"lr_generator": 0.03, "lr_critic": 0.003}


def test_told_everything_it_does_what_the_agent_does_in_our_environment() -> None:
    made = tuner(1, n_decisions=4)
    path = agent_file("default")
    agent = TrainedAgent.load(path, made.features, made.actions)
    values = {name: float(value[0]) for name, value in made.values.items()}
    movable = {name: values[name] for name in made.search_space}
    limits = {name: (each.low, each.high) for name, each in made.search_space.items()}
    fixed = {name: value for name, value in values.items() if name not in movable}
    here = ScheduleAgent("default", movable, n_decisions=4, limits=limits, fixed=fixed)
    moved = []
    for decision in range(4):
        observation = made.step({}).observation
        expected = agent.decide(observation, made.values, decision / 4)
        found = here.decide(dict(zip(made.features, observation[0].tolist(), strict=True)))
        assert {name: found[name] for name in expected} == {name: value[0] for name, value in expected.items()}
        moved.append(found["lr_generator"])
        here.values |= movable  # as the environment, which stays where it was
    assert len(set(moved)) > 1


def test_what_a_loop_measures_is_seen_on_the_scales_of_an_observation() -> None:
    """Everything that our own environment observes of training, told by names."""
    made = tuner(1, n_decisions=4)
    metrics = NamedMetrics({name: float(value[0]) for name, value in made._problems.seen.items()})
    bests: list[float] = []
    for decision in range(3):
        step = made.step({"lr_generator": np.array([0.1 / (decision + 1)])})
        training = {name: float(value[0]) for name, value in step.training.items()}
        told = {
            "score": float(step.score[0]),
            "loss.generator": training["loss_generator"],
            "loss.critic": training["loss_critic"],
            "critic.gap": training["critic_gap"],
            "critic.penalty": training["penalty"],
            "gradient.generator": training["gradient_generator"],
            "gradient.critic": training["gradient_critic"],
            "fake.spread": training["spread"] / float(made._health.real.spread[0]),
            "fake.saturation": training["saturation"],
            **{f"utility.{name}": float(value[0]) for name, value in step.utilities.items()},
            **{f"raw.{name}": float(value[0]) for name, value in step.raw.items() if name in made.metrics},
        }
        seen = metrics.see(told, (decision + 1) / 4)
        expected = dict(zip(made.features, step.observation[0].tolist(), strict=True))
        # Ours has measured the untrained trial, too.
        first = {"score.best"} | (set() if decision else {name for name in seen if name.startswith("change.")})
        assert {name: value for name, value in seen.items() if name not in first} == pytest.approx(
            {name: expected[name] for name in seen if name not in first}, abs=1e-6
        )
        assert seen["score.best"] == pytest.approx(2 * max(bests := [*bests, told["score"]]) - 1, abs=1e-6)
        missing = {name for name in expected if name not in seen and not name.startswith(VALUE)}
        assert missing == {"ailment.dead_parameters", "diverged"}


def test_it_says_in_one_line_what_it_does_not_know() -> None:
    agent = ScheduleAgent("default", {**START, "momentum": 0.9}, n_decisions=10)
    values = agent.step({"score": 0.4, "loss.generator": 0.1, "gradient.critic": 300.0})
    assert values["momentum"] == 0.9
    assert values["lr_generator"] != START["lr_generator"]
    assert "\n" not in agent.unknown
    assert "leaves momentum as they are" in agent.unknown
    assert "can't move adversarial_weight, diversity_weight, fidelity_weight, n_layers, shots" in agent.unknown
    assert f"does not see {len(agent.unseen)} of {len(card('default').features)} features" in agent.unknown
    assert "loss.critic" in agent.unseen
    assert not {"score.now", "score.best", "ailment.exploding_critic", "budget.remaining"} & set(agent.unseen)
    assert {name for name in agent.unseen if name.startswith(PROBLEM)}
    told = ScheduleAgent("default", START, n_decisions=10, problem={"rows": 0.3})
    told.step({"score": 0.4})
    assert "problem.rows" not in told.unseen


def test_what_it_is_told_matters() -> None:
    ends = []
    for metrics in ({"score": 0.1, "loss.generator": 2.0}, {"score": 0.9, "loss.generator": -2.0}):
        agent = ScheduleAgent("default", START, n_decisions=5)
        for _ in range(5):
            values = agent.step(metrics)
        ends.append(values)
    assert ends[0] != ends[1]


def test_it_stays_within_limits() -> None:
    free, bound = (
        ScheduleAgent("default", START, n_decisions=20, limits=limits)
        for limits in (None, {"lr_generator": (0.029, 0.031)})
    )
    for _ in range(20):
        values = {"free": free.step({"score": 0.5}), "bound": bound.step({"score": 0.5})}
    assert 0.029 <= values["bound"]["lr_generator"] <= 0.031
    scale = card("default").search_space["lr_generator"]
    assert isinstance(scale, Float)
    assert scale.low <= values["free"]["lr_generator"] <= scale.high
    assert values["free"]["lr_generator"] != values["bound"]["lr_generator"]


def test_a_number_that_is_none_counts_as_unknown() -> None:
    broken, silent = (ScheduleAgent("default", START, n_decisions=5) for _ in range(2))
    values = broken.step({"loss.generator": float("nan"), "score": 0.3})
    assert all(np.isfinite(value) for value in values.values())
    assert values == silent.step({"score": 0.3})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: ScheduleAgent("default", START, n_decisions=0), "n_decisions must be at least 1; got 0"),
        (lambda: ScheduleAgent("default", {"momentum": 0.9}, n_decisions=5), "got momentum"),
        (lambda: ScheduleAgent("default", n_decisions=5), "got none"),
        (
            lambda: ScheduleAgent("default", START, n_decisions=5, limits={"lr": (0, 1)}),
            "limits must be of hyperparameters in values: lr_generator, lr_critic; got 'lr'",
        ),
        (lambda: ScheduleAgent("nobody", START, n_decisions=5), "an agent must be"),
        (lambda: ScheduleAgent("default", START, n_decisions=5, problem={"row": 1}), "Did you mean 'rows'"),
        (lambda: ScheduleAgent("default", START, n_decisions=5).step({"los.critic": 1}), "Did you mean 'loss.critic'"),
        (
            lambda: ScheduleAgent("default", START, n_decisions=5).step({"score": "good"}),  # type: ignore[dict-item]
            "must be a number; got 'good'",
        ),
    ],
)
def test_what_it_can_t_use_is_refused(made: object, message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        made()  # type: ignore[operator]


def test_names_are_those_of_observations() -> None:
    assert "utility.fidelity" in metric_names()
    assert len(set(metric_names())) == len(metric_names())
