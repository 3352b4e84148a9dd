"""The agent as a Tune scheduler: what it decides is what it decides anywhere, for our trials and for others'."""

import itertools
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler

from cluster.ray_tune import AgentScheduler, GanTrainable, trainable
from cluster.study.study import Study
from qsynth.errors import QsynthError
from rl_envs.agents import TrainedAgent
from rl_envs.pretrained import agent_file
from rl_envs.schedule_agent import ScheduleAgent
from tests.cluster.ray_tune.test_trainable import population_of
from tests.rl_envs.test_schedule_agent import START

CONFIG = {"lr_generator": 0.03, "seed": 4}


class Loop(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """Somebody's training: a loss that depends on one learning rate, which may change."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin."""
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin anew with these values; where the trial has begun before, its checkpoint follows."""
        self.loss, self.rate = 1.0, new_config["lr_generator"]
        return True

    def step(self) -> dict[str, Any]:
        """Train."""
        self.loss *= 1.0 - self.rate
        return {"loss": {"generator": self.loss}, "score": 1.0 - self.loss, "rate": self.rate, "batch": 3}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write the loss."""
        Path(checkpoint_dir, "loop.json").write_text(json.dumps(self.loss))

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Read the loss."""
        self.loss = json.loads(Path(checkpoint, "loop.json").read_text())


class Actor:
    """Hears what a trial is told."""

    def __init__(self, trial: GanTrainable) -> None:
        self.told: list[dict[str, float]] = []
        self.change = SimpleNamespace(remote=lambda values: (self.told.append(values), trial.change(values)))


def a_trial(kind: type[tune.Trainable], config: dict[str, Any], actor: Actor | None = None) -> Any:
    """What a scheduler sees of one."""
    trial = SimpleNamespace(
        trial_id="1", config=dict(config), status=Trial.RUNNING, temporary_state=SimpleNamespace(ray_actor=actor)
    )
    trial.get_trainable_cls = lambda: kind
    trial.set_config = lambda values: setattr(trial, "config", values)
    return trial


def flat(result: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{name}/{inner}" if isinstance(value, dict) else name: each
        for name, value in result.items()
        for inner, each in (value.items() if isinstance(value, dict) else [("", value)])
    }


def test_a_studys_trial_gets_the_agents_schedule_bit_for_bit(study: Study) -> None:
    kind = trainable(study)
    running = kind(CONFIG)
    actor, scheduler, n_decisions = Actor(running), AgentScheduler("default"), study.episode.n_decisions
    trial, schedule, scores = a_trial(kind, CONFIG, actor), [], []
    for _ in range(n_decisions):
        result = running.train()
        schedule.append(result["hyperparameters"]["lr_generator"])
        scores.append(result["score"])
        assert scheduler.on_trial_result(None, trial, flat(result)) == TrialScheduler.CONTINUE
    tuner = population_of(study, 1, CONFIG)
    agent = TrainedAgent.load(agent_file("default"), tuner.features, tuner.actions)
    changes: dict[str, np.ndarray] = {}
    for decision in range(n_decisions):
        step = tuner.step(changes)
        assert schedule[decision] == tuner.values["lr_generator"][0]
        assert scores[decision] == step.score[0]
        changes = agent.decide(step.observation, tuner.values, (decision + 1) / n_decisions)
    assert len(set(schedule)) == n_decisions
    assert trial.config["lr_generator"] == changes["lr_generator"][0]
    assert trial.config["seed"] == 4
    assert all(set(told) == {"lr_generator"} for told in actor.told)


def test_others_trials_are_paused_for_new_values_and_never_stopped(caplog: pytest.LogCaptureFixture) -> None:
    scheduler, trial = AgentScheduler("default", max_t=5), a_trial(Loop, {**START, "lr_critic": 0.003, "name": "x"})
    here = ScheduleAgent("default", START, n_decisions=5)
    with caplog.at_level(logging.WARNING):
        for number, loss in enumerate((0.9, 0.5, 0.3), start=1):
            result = {"loss/generator": loss, "score": 1 - loss, "rate": 0.1, "training_iteration": number}
            assert scheduler.on_trial_result(None, trial, result) == TrialScheduler.PAUSE
            expected = here.step({"loss.generator": loss, "score": 1 - loss})
            assert trial.config == {**expected, "name": "x"}
            assert type(trial.config["lr_critic"]) is float
    [line] = caplog.messages
    assert "does not see" in line
    assert "can't move" in line
    assert "lr_critic" not in line


def test_whole_numbers_stay_whole() -> None:
    scheduler, trial = AgentScheduler("default", max_t=50), a_trial(Loop, {"n_layers": 2, "lr_generator": 0.03})
    for number in range(50):
        told = {"score": 0.1, "loss/generator": 1.0, "gradient/critic": 500.0, "training_iteration": number + 1}
        scheduler.on_trial_result(None, trial, told)
        assert type(trial.config["n_layers"]) is int
        assert 1 <= trial.config["n_layers"] <= 3


def test_paused_trials_go_on_before_others_begin() -> None:
    scheduler = AgentScheduler("default", max_t=5)
    trials = [SimpleNamespace(status=status) for status in (Trial.RUNNING, Trial.PENDING, Trial.PAUSED)]
    controller = SimpleNamespace(get_trials=lambda: trials)
    assert scheduler.choose_trial_to_run(controller) is trials[2]
    trials[2].status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(controller) is trials[1]


def test_what_it_can_t_tune_is_refused() -> None:
    with pytest.raises(QsynthError, match="needs max_t"):
        AgentScheduler("default").on_trial_result(None, a_trial(Loop, CONFIG), {"score": 1.0})
    with pytest.raises(QsynthError, match="values must name a hyperparameter of the agent's"):
        AgentScheduler("default", max_t=3).on_trial_result(None, a_trial(Loop, {"x": 1.0}), {"training_iteration": 1})


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("ray_of_two")
@pytest.mark.filterwarnings("ignore")
def test_it_tunes_both_kinds_under_tune(study: Study, tmp_path: Path) -> None:
    n_decisions = study.episode.n_decisions
    for kind, config, scheduler in (
        (trainable(study), CONFIG, AgentScheduler("default")),
        (Loop, START, AgentScheduler("default", max_t=n_decisions)),
    ):
        results = tune.Tuner(
            kind,
            param_space=dict(config),
            tune_config=tune.TuneConfig(num_samples=3, reuse_actors=True, scheduler=scheduler),
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0, stop={"training_iteration": n_decisions}),
        ).fit()
        assert not results.errors
        for result in results:
            frame = result.metrics_dataframe
            name = "rate" if kind is Loop else "hyperparameters/lr_generator"
            assert frame["training_iteration"].iloc[-1] == n_decisions
            assert frame[name].nunique() == len(frame)
            assert frame[name].iloc[0] == config["lr_generator"]
            if kind is not Loop:
                assert len(frame) == n_decisions
                continue
            # Of trials that pause, Tune's own file of results may lack a line; what it has must follow from the last.
            lines = frame[["training_iteration", "score", "rate"]].to_numpy().tolist()
            for (before, old, _), (now, score, rate) in itertools.pairwise([[0, 0.0, 0.0], *lines]):
                assert now > before
                if now == before + 1:
                    assert score == pytest.approx(1 - (1 - old) * (1 - rate))
