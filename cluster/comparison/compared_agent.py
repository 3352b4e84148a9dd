"""An agent that takes part in a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.comparison.agent_card import fingerprint
from cluster.study.study import Study
from qsynth.errors import QsynthError
from rl_envs.agents import Agent, TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.policy import PolicyFile, PolicyNetwork, load_policy


@dataclass(frozen=True, kw_only=True)
class ComparedAgent:
    """An agent, as it acts in each study.

    Attributes:
        agents: study's name -> the agent.
        policy: its network, and what is known about it.
        identity: tells agents of one name apart.
        trained: GAN iterations that its training took; None if nobody knows.
    """

    name: str
    agents: Mapping[str, Agent]
    policy: tuple[PolicyNetwork, PolicyFile]
    identity: str
    trained: int | None
    detail: str


def compared_agents(paths: Sequence[Path], studies: Sequence[Study]) -> tuple[ComparedAgent, ...]:
    """Agents from their files.

    Raises:
        QsynthError: a file is no agent's, or does not fit a study.
    """
    tuners = {study.name: make_tuner(study.environment(compiled=False), 1) for study in studies} if paths else {}
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        raise QsynthError(f"agents' files must have different names; got {', '.join(names)}")
    per_run = max(study.iterations_per_run for study in studies)
    compared = []
    for path in paths:
        network, file = load_policy(path)
        acting = {
            name: TrainedAgent.of(path, network, file, tuner.features, tuner.actions) for name, tuner in tuners.items()
        }
        trained = int(file.trained("iterations") or file.trained("trials") * per_run) or None
        compared.append(
            ComparedAgent(
                name=f"agent {path.stem}" if path.stem != "agent" else "agent",
                agents=acting,
                policy=(network, file),
                identity=fingerprint(network, file),
                trained=trained,
                detail=f"{path.name}, trained for {trained:,} GAN iterations" if trained else path.name,
            )
        )
    return tuple(compared)
