"""PPO (Schulman et al. 2017) that learns on the problem itself, from nothing or from a trained agent."""

from typing import TYPE_CHECKING

import numpy as np

from cluster.comparison.rivals.agent_run import steered_by
from cluster.comparison.rivals.rival import Moment, Outcome, Plan, Rival, Setting, Steer, Stretch, Values
from cluster.study.ppo_config import PPOConfig
from qsynth.population.snapshot import Keep
from rl_envs.agents import TrainedAgent
from rl_envs.encoding import Encoding
from rl_envs.policy import PolicyFile, PolicyNetwork
from rl_envs.reward import BestGain, Effect, ShortfallGain

if TYPE_CHECKING:
    from cluster.comparison.rivals.policy_learner import PolicyLearner, Trajectory

ROUND = 3  # trials that an update learns from
LEARNS = f"updated after every {ROUND} runs on the problem; the last run is greedy"  # in words
CONFIG = PPOConfig(lr=1e-3, epochs=16, entropy=0.0)


def ppo_rival(
    name: str, start: tuple[PolicyNetwork, PolicyFile] | None, detail: str, prepared: int = 0, identity: str = ""
) -> Rival:
    """Runs that explore, from the given values, with an update after every few; then one with the likeliest actions.

    Args:
        start: the agent that learning goes on from; None for a new policy.
    """

    def plan(setting: Setting) -> Plan:
        # RLlib takes seconds to import, and only this rival needs it.
        from cluster.comparison.rivals.policy_learner import PolicyLearner, Trajectory

        if start is None:
            network, config = None, CONFIG
            encoding = Encoding(setting.features, setting.space, setting.features, setting.space, setting.max_step)
        else:
            network, file = start
            config = CONFIG.replaced(policy=network.config)
            encoding = Encoding(file.features, file.search_space, setting.features, setting.space, file.max_step)
        learner = PolicyLearner(config, encoding.actions, len(encoding.features), network, setting.seed)
        trial = 0
        while n_runs := setting.meter.left // setting.n_decisions:
            if n_runs == 1:
                likeliest = steered_by(TrainedAgent(learner.policy, encoding), setting.n_decisions)
                yield [Stretch(trial=trial, decisions=setting.n_decisions, values=setting.start, steer=likeliest)]
                trial += 1
                continue
            trajectories = {number: Trajectory() for number in range(trial, trial + min(ROUND, n_runs - 1))}
            outcomes = yield [
                Stretch(
                    trial=number,
                    decisions=setting.n_decisions,
                    values=setting.start,
                    steer=_exploring(learner, encoding, kept, (setting.seed, number)),
                )
                for number, kept in trajectories.items()
            ]
            told = zip(trajectories.values(), outcomes, strict=True)
            learner.learn([kept.episode(_rewards(outcome, setting.keep)) for kept, outcome in told])
            trial += len(trajectories)

    return Rival(
        name=name,
        plan=plan,
        anytime=False,
        detail=detail,
        prepared=prepared,
        shared=start is not None,
        identity=identity,
    )


def _exploring(learner: "PolicyLearner", encoding: Encoding, trajectory: "Trajectory", seed: tuple[int, int]) -> Steer:
    """A trial under actions that the policy draws."""

    def steer(moment: Moment) -> Values:
        values = {name: np.array([value]) for name, value in moment.values.items()}
        observation = encoding.observe(moment.observation[None], values)
        actions = learner.explore(observation, trajectory, (*seed, moment.decision))
        return {name: float(value[0]) for name, value in encoding.moves(values, actions).items()}

    return steer


def _rewards(outcome: Outcome, keep: Keep) -> np.ndarray:
    """Each decision's: for the best one of the trial, or for where the trial ends, as the comparison counts."""
    scores = np.array(outcome.scores)
    before, after, best = scores[:-1], scores[1:], np.maximum.accumulate(scores)[:-1]
    none = np.zeros_like(after)
    failed = (np.arange(len(after)) == len(after) - 1) & outcome.failed
    reward = BestGain() if keep == "best" else ShortfallGain()
    effect = Effect(before=before, after=after, best=best, failed=failed, raw={}, loss_generator=none, loss_critic=none)
    return reward(effect)


PPO = ppo_rival(
    "PPO from scratch",
    None,
    f"a new policy, {LEARNS} (Schulman et al. 2017)",
)
