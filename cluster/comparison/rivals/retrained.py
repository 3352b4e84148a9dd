"""What won, trained again: was it the hyperparameters, or the luck of the networks it began with?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cluster.comparison.rivals.agent_run import steered_by
from cluster.comparison.rivals.rival import SEEDS_PER_PROBLEM, Plan, Rival, Setting, Stretch
from rl_envs.replay import Replay, ScheduleFile

TRIAL = SEEDS_PER_PROBLEM // 2  # no rival begins as many: its seed is met nowhere else


def retrained(rival: Rival, schedule: Mapping[str, Sequence[float]], n_decisions: int) -> Rival:
    """A whole run along the schedule of what ``rival`` returned, from networks that nobody has selected.

    Args:
        schedule: name -> value during each decision.
    """
    whole = whole_schedule(schedule, n_decisions)
    agent = Replay(whole)

    def plan(setting: Setting) -> Plan:
        steer = steered_by(agent, setting.n_decisions)
        yield [Stretch(trial=TRIAL, decisions=setting.n_decisions, values=setting.start, steer=steer)]

    identity = json.dumps([rival.identity, whole.hyperparameters], sort_keys=True)
    return replace(rival, name=f"{rival.name}, retrained", plan=plan, identity=identity)


def whole_schedule(schedule: Mapping[str, Sequence[float]], n_decisions: int) -> ScheduleFile:
    """A trial's schedule for a whole run; one that was over early goes on with its last values."""
    whole = {each: (*values, *[values[-1]] * (n_decisions - len(values))) for each, values in schedule.items()}
    return ScheduleFile(hyperparameters=whole)
