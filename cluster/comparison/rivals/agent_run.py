"""An agent as a rival: as many runs as the budget pays for, the best of them."""

import copy

import numpy as np

from cluster.comparison.rivals.rival import Moment, Plan, Rival, Setting, Steer, Stretch, Values, restarts
from rl_envs.agents import Agent


def steered_by(agent: Agent, n_decisions: int) -> Steer:
    """A trial under an agent of its own."""
    mine = copy.deepcopy(agent)

    def steer(moment: Moment) -> Values:
        values = {name: np.array([value]) for name, value in moment.values.items()}
        changes = mine.begin(1) if moment.decision == 0 else {}
        changes = changes or mine.decide(moment.observation[None], values, moment.decision / n_decisions)
        return {name: float(value[0]) for name, value in changes.items()}

    return steer


def agent_rival(
    name: str,
    agent: Agent,
    detail: str = "",
    prepared: int = 0,
    shared: bool = False,
    watched: bool = False,
    only_once: bool = False,
    identity: str = "",
    optimizer: str = "",
) -> Rival:
    """Runs under ``agent`` from the given values; they differ in their trials' seeds.

    Args:
        watched: keep what the first run's agent saw and did.
    """

    def plan(setting: Setting) -> Plan:
        def stretch(trial: int) -> Stretch:
            steer = steered_by(agent, setting.n_decisions)
            return Stretch(
                trial=trial,
                decisions=setting.n_decisions,
                values=setting.start,
                steer=steer,
                watched=watched and trial == 0,
            )

        return restarts(setting, stretch)

    return Rival(
        name=name,
        plan=plan,
        detail=detail,
        prepared=prepared,
        shared=shared,
        only_once=only_once,
        identity=identity,
        optimizer=optimizer,
    )
