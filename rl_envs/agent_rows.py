"""Rows of GANs that the shipped agent tunes while they train, for experiments; importing this registers them."""

from collections.abc import Sequence
from dataclasses import dataclass

from qsynth.errors import DivergedError
from qsynth.experiment.synthesizers.gan_rows import N_ITERATIONS, sampled, with_critic
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.synthesizers.training_rows import kept_back
from qsynth.experiment.task import Task
from qsynth.population.population import Population
from rl_envs.agents import TrainedAgent
from rl_envs.encoding import limited
from rl_envs.policy import load_policy
from rl_envs.pretrained import DEFAULT, agent_file
from rl_envs.tuner import EpisodeConfig, Tuner

N_DECISIONS = 8


@dataclass(frozen=True)
class AgentRows:
    """The recommended GAN under the shipped agent."""

    name: str = "qsynth agent"
    about: str = "the quantum GAN, tuned by the shipped agent on a fifth of the rows that is kept back"
    role: Role = "gan"

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task.

        Raises:
            DivergedError: a GAN's training ended early.
        """
        instances = [kept_back(task.instance) for task in tasks]
        first = instances[0]
        config = with_critic(max(first.n_features, first.n_classes))
        _, file = load_policy(agent_file(DEFAULT))
        config = config.replaced(search_space=limited(file.search_space, config))
        population = Population(config, first.n_features, first.n_classes, len(tasks))
        tuner = Tuner(
            population, EpisodeConfig(n_decisions=N_DECISIONS, iterations_per_decision=N_ITERATIONS // N_DECISIONS)
        )
        agent = TrainedAgent.load(agent_file(DEFAULT), tuner.features, tuner.actions)
        observation = tuner.begin(range(len(tasks)), instances, [task.seed for task in tasks])
        for decision in range(N_DECISIONS):
            step = tuner.step(agent.decide(observation, tuner.values, decision / N_DECISIONS))
            if step.failed.any():
                raise DivergedError(f"a GAN's training ended early on {instances[int(step.failed.argmax())].key}")
            observation = step.observation
        return sampled(population, range(len(tasks)), tasks, labels)


ROW_SYNTHESIZERS.register("qsynth agent")(AgentRows())
