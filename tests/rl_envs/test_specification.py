"""The environment's docstring is its specification: what its tables say is what there is."""

from itertools import groupby
from typing import Any, get_args

import numpy as np
import pytest

from qsynth.config import parse
from qsynth.space.search_space import Choice, SearchSpace
from rl_envs.config import EnvironmentConfig
from rl_envs.reward import REWARDS
from rl_envs.spaces import ActionEntry, action_space
from rl_envs.tuner import EpisodeConfig
from rl_envs.tuning_env import QGANTuningEnv
from rl_envs.vector_env import QGANTuningVectorEnv
from tests.rl_envs.tiny import MAX_REWARD, N_DECISIONS, SPACE, environment

N_LANES = 3


def table(section: str) -> list[dict[str, str]]:
    """The rows of the table in a section, header -> cell."""
    text = str(QGANTuningEnv.__doc__).split(f"## {section}\n")[1].split("## ")[0]
    lines = [line.strip().strip("|") for line in text.splitlines() if line.strip().startswith("|")]
    header, _, *rows = [[cell.strip().strip("`") for cell in line.split("|")] for line in lines]
    return [dict(zip(header, row, strict=True)) for row in rows]


def kinds(union: Any) -> list[str]:
    return [form.model_fields["kind"].default for form in get_args(get_args(union)[0])]


def ranges(metrics: list[str], search_space: SearchSpace) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of every feature that the table names, in its order."""
    names = {"": [""], "<metric>": metrics, "<hyperparameter>": sorted(search_space)}
    found: dict[str, tuple[float, float]] = {}
    for mark, rows in groupby(table("Observation space"), lambda row: max(m for m in names if m in row["name"])):
        block = list(rows)
        for name in names[mark]:
            for row in block:
                low, high = row["range"].strip("[]").split(",")
                found[row["name"].replace(mark, name)] = float(low), float(high)
    return found


def of_iris() -> EnvironmentConfig:
    """All metrics, on classes."""
    values = environment().model_dump(mode="json")
    values["data"] = {"kind": "table", "name": "iris", "n_features": 2, "n_train": 24}
    qnn = {"n_layers": 1, "n_starts": 1, "n_steps": 2}
    values["trial"] |= {"n_qubits": 3, "score": {"n_rows": 32}, "qnn": qnn}
    return parse(EnvironmentConfig, values, source="test")


@pytest.mark.parametrize("config", [environment(), of_iris()], ids=["some metrics", "all metrics"])
def test_the_table_of_observations_names_what_is_seen_in_order(config: EnvironmentConfig) -> None:
    env = QGANTuningEnv(config)
    assert list(ranges(env.tuner.metrics, env.tuner.search_space)) == env.tuner.features
    observation, _ = env.reset(seed=0)
    assert observation.shape == (len(env.tuner.features),)


def test_what_is_seen_lies_within_the_tables_ranges() -> None:
    env = QGANTuningVectorEnv(N_LANES, environment(random_start=0.5, recovery=True))
    low, high = np.array(list(ranges(env.tuner.metrics, SPACE).values())).T
    env.action_space.seed(0)
    seen, rewards = [env.reset(seed=0)[0]], []
    for step in range(4 * (N_DECISIONS + 1)):
        if step == N_DECISIONS + 2:
            env.tuner.population._weights.critic[1] = np.nan
        observation, reward, *_ = env.step(env.action_space.sample())
        seen.append(observation)
        rewards.append(reward)
    everything = np.concatenate(seen)
    assert ((everything >= low) & (everything <= high)).all()
    assert everything[:, env.tuner.features.index("diverged")].max() == 1
    assert np.ptp(everything[:, env.tuner.features.index("budget.remaining")]) == 2
    assert -MAX_REWARD <= np.min(rewards) < np.max(rewards) <= MAX_REWARD


def test_the_other_tables_name_what_there_is() -> None:
    assert [row["kind"] for row in table("Action space")] == kinds(ActionEntry)
    assert [row["kind"] for row in table("Rewards")] == list(REWARDS)
    [default] = [
        row["kind"] for row in table("Rewards") if "the default" in row["what an undiscounted return pays for"]
    ]
    assert EpisodeConfig().reward.kind == default
    assert [row["key"] for row in table("Arguments")] == list(EnvironmentConfig.model_fields)


def test_actions_have_the_tables_spaces() -> None:
    said = {row["kind"]: row["space"] for row in table("Action space")}
    entries = environment(recovery=True).actions
    for name, space in action_space(entries).items():
        entry = entries[name]
        n_values = len(entry.values) if isinstance(entry, Choice) else 0
        expected = said[entry.kind].replace("1 + n values", str(1 + n_values)).replace("-1, 1,", "-1.0, 1.0,")
        assert repr(space) == expected
