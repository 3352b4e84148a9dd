"""Ailments and treatment, from decision to decision."""

from typing import Any

import numpy as np
import torch

from qsynth.population.health import AILMENTS
from rl_envs.agents import TrainedAgent
from rl_envs.policy import PolicyConfig, PolicyFile, PolicyNetwork, save_policy
from rl_envs.rollout import Assignment, play
from rl_envs.spaces import RECOVER
from rl_envs.tuner import Tuner
from rl_envs.vector_env import QGANTuningVectorEnv
from tests.rl_envs.tiny import N_DECISIONS, environment, feature, instances, tuner

SICK = 1
NOTHING, REINITIALISE = 0.0, 1.0


def saturated(**episode: Any) -> Tuner:
    """Angles of 0 in lane 1, whose outputs are 1 then."""
    made = tuner(3, **episode)
    made.population._weights.generator[SICK] = 0.0
    return made


def codes(code: float) -> dict[str, np.ndarray]:
    return {RECOVER: np.where(np.arange(3) == SICK, code, 0.0)}


def test_ailments_are_in_the_step_and_seen() -> None:
    made = saturated()
    step = made.step({})
    assert list(step.ailments) == list(AILMENTS)
    assert step.ailments["saturation"].tolist() == [False, True, False]
    assert feature(made, step.observation, "ailment.saturation").tolist() == [0, 1, 0]
    assert step.recovered == [""] * 3


def test_a_new_episode_starts_without() -> None:
    made = saturated()
    made.step({})
    observation = made.begin([SICK], instances(1), [7])
    assert not feature(made, observation, "ailment.saturation").any()
    assert not made.step({}).ailments["saturation"].any()


def test_a_treated_lane_recovers_and_the_others_go_on_as_before() -> None:
    made, left = saturated(recovery=True), saturated(recovery=True)
    for code, way in ((NOTHING, ""), (REINITIALISE, "reinitialise")):
        step, untreated = made.step(codes(code)), left.step({})
        assert step.reason == [""] * 3
        assert step.recovered == ["", way, ""]
        assert bool(step.ailments["saturation"][SICK]) is (code == NOTHING)
        for lane in (0, 2):
            np.testing.assert_array_equal(step.observation[lane], untreated.observation[lane])
    assert untreated.ailments["saturation"][SICK]


def test_without_recovery_there_is_nothing_to_treat_with() -> None:
    made = saturated()
    assert RECOVER not in made.actions
    assert made.step(codes(REINITIALISE)).reason[SICK].startswith("error: StudyError: 'recover' must be a hyper")


def test_environments_offer_it_only_where_the_study_does() -> None:
    for recovery in (False, True):
        env = QGANTuningVectorEnv(2, environment(recovery=recovery))
        assert (RECOVER in env.single_action_space.spaces) is recovery  # type: ignore[attr-defined]
        env.reset(seed=0)
        env.step({name: np.zeros(space.shape) for name, space in env.action_space.spaces.items()})  # type: ignore[attr-defined]
        env.close()


class Doctor:
    """Re-initialises what is saturated, at the second decision."""

    name = "doctor"

    def __init__(self, made: Tuner) -> None:
        self._tuner = made

    def begin(self, n_lanes: int) -> dict[str, np.ndarray]:
        self._tuner.population._weights.generator[SICK] = 0.0
        return {}

    def decide(self, observation: np.ndarray, values: object, progress: float) -> dict[str, np.ndarray]:
        return {RECOVER: feature(self._tuner, observation, "ailment.saturation") * REINITIALISE}


def test_episodes_tell_when_an_ailment_was_first_seen_and_treated() -> None:
    made = tuner(3, recovery=True)
    assignments = [Assignment(instance, seed) for seed, instance in enumerate(instances(3))]
    episodes = play(made, lambda _: Doctor(made), assignments)
    assert ["saturation" in episode.ailments for episode in episodes] == [False, True, False]
    assert episodes[SICK].ailments["saturation"] == 1
    assert [episode.recoveries for episode in episodes] == [{}, {2: "reinitialise"}, {}]
    assert all(len(episode.scores) == N_DECISIONS + 1 for episode in episodes)


def test_agents_use_it_where_studies_have_it(tmp_path: Any) -> None:
    made, plain = tuner(3, recovery=True), tuner(3)
    torch.manual_seed(0)
    network = PolicyNetwork(len(made.features), made.actions, PolicyConfig())
    about = PolicyFile(features=tuple(made.features), search_space=made.actions, policy=PolicyConfig(), max_step=0.1)
    save_policy(tmp_path / "agent", network, about)
    agent = TrainedAgent.load(tmp_path / "agent", made.features, made.actions)
    untrained = agent.decide(np.zeros((3, len(made.features)), np.float32), made.values, 0.0)
    assert untrained[RECOVER].tolist() == [0.0] * 3
    without = TrainedAgent.load(tmp_path / "agent", plain.features, plain.actions)
    assert without.remarks == ["the study does not let it tune recover"]
    assert RECOVER not in without.decide(np.zeros((3, len(plain.features)), np.float32), plain.values, 0.0)
