"""Training the agent: RLlib's PPO on populations."""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cluster.study.placement import Placement
from cluster.study.ppo_config import PPOConfig
from cluster.training.rllib_result import RLlibResult
from cluster.training.rllib_settings import ENTROPY, rllib_settings
from qsynth.errors import QsynthError
from qsynth.rng import derived_seed
from rl_envs.config import EnvironmentConfig
from rl_envs.curriculum import CurriculumConfig
from rl_envs.policy import PolicyFile, PolicyNetwork, save_policy

ENVIRONMENT = "qsynth-population"
SAMPLED = "env_runners"  # what RLlib calls the part of a result
# A runner that waits for a place on the cluster does not answer; the others wait this long for it in each iteration.
PROBE_SECONDS = 5.0


class Progress(NamedTuple):
    """One training iteration's result: agent decisions sampled so far, mean return and score of finished trials.

    Attributes:
        empty: iterations in a row, up to this one, that sampled nothing.
        populations: how many there were.
        entropies: action -> how undecided the policy is about it, in nats.
    """

    iteration: int
    sampled_steps: int
    trials: int
    mean_return: float
    mean_score: float
    failures: int
    empty: int
    populations: int
    seconds: float
    seconds_sampling: float
    seconds_learning: float
    entropies: Mapping[str, float]

    def metrics(self) -> dict[str, float]:
        """All of it under the names that MLflow shows."""
        values = {f"training/{name}": value for name, value in self._asdict().items() if name != "entropies"}
        return values | {f"training/entropy.{name}": value for name, value in self.entropies.items()}

    def entry(self) -> dict[str, float]:
        """What a study's history keeps of it; not-a-number is left out."""
        values = {
            "sampled_steps": self.sampled_steps,
            "score": self.mean_score,
            "return": self.mean_return,
            "trials": self.trials,
            "failures": self.failures,
            "seconds": self.seconds,
        }
        return {name: float(value) for name, value in values.items() if math.isfinite(value)}


class AgentTrainer:
    """An RLlib algorithm whose EnvRunners each hold one population.

    Args:
        environment: what the populations are: a study's, or several studies' side by side.
        sizes: how many of each kind, each in an EnvRunner actor; a training batch is what they sample in one episode.
        step_seconds: how long one decision of a whole population takes, measured; time limits derive from it.
        seed: of the policy and of what is sampled. The same seed, sizes and checkpoints give the same agent, bit for
            bit, however often its training was interrupted.
        run: the run's name, by which the actors are called.
        start: the policy to go on from, of any size, if not a new one; it must see and do what the environment has.
    """

    def __init__(
        self,
        config: PPOConfig,
        environment: EnvironmentConfig | CurriculumConfig,
        sizes: Mapping[Placement, int],
        step_seconds: float,
        seed: int,
        run: str,
        start: PolicyNetwork | None = None,
    ) -> None:
        from ray.tune.registry import register_env

        from cluster.training.callbacks import TrialCallbacks
        from cluster.training.env_runner import RUN, PopulationRunner
        from cluster.training.runner_group import RunnerGroup, build

        self._seed = seed
        self.config = config if start is None else config.replaced(policy=start.config)
        self.environment = environment
        self.iteration, self.sampled_steps, self.trials, self._empty = 0, 0, 0, 0
        n_decisions = environment.episode.n_decisions
        batch = n_decisions * sum(count * kind.n_lanes for kind, count in sizes.items())
        first = next(iter(sizes))
        demand = first.options()
        register_env(ENVIRONMENT, _make_vector_env)

        def env_config(kind: Placement) -> dict[str, Any]:
            return {"environment": environment.at(kind.place).model_dump(mode="json"), RUN: run}

        settings = (
            rllib_settings(self.config, environment.actions, batch, seed)
            .environment(ENVIRONMENT, env_config=env_config(first))
            .env_runners(
                env_runner_cls=PopulationRunner,
                num_env_runners=sizes[first],
                num_envs_per_env_runner=first.n_lanes,
                rollout_fragment_length=n_decisions,
                # Generous enough for a first call that compiles; a population that hangs ends its own episodes earlier.
                sample_timeout_s=max(600.0, 10.0 * step_seconds * n_decisions),
                num_cpus_per_env_runner=demand["num_cpus"],
                num_gpus_per_env_runner=demand["num_gpus"],
                custom_resources_per_env_runner=demand["resources"] or {},
            )
            .callbacks(TrialCallbacks)
            .fault_tolerance(
                restart_failed_env_runners=True,
                delay_between_env_runner_restarts_s=1.0,
                env_runner_health_probe_timeout_s=PROBE_SECONDS,
            )
        )
        self._algorithm = build(settings)

        def settings_of(kind: Placement) -> Any:
            made = self._algorithm.config.copy(copy_frozen=False)
            made.environment(env_config=env_config(kind)).env_runners(num_envs_per_env_runner=kind.n_lanes)
            return made

        self._runners = RunnerGroup(self._algorithm, first, settings_of)
        if start is not None:
            self._adopt(start)
        self.resize(sizes)

    def train(self) -> Progress:
        """One iteration: sample a batch of decisions, learn from it."""
        began = time.monotonic()
        np.random.seed(derived_seed(self._seed, self.sampled_steps))  # RLlib shuffles by it
        result = RLlibResult(self._algorithm.train())
        self.iteration += 1
        steps = result.count(SAMPLED, "num_env_steps_sampled_lifetime")
        trials = result.count(SAMPLED, "num_episodes")
        if steps > self.sampled_steps:
            self.sampled_steps, self._empty = steps, 0
            self.trials += trials
        else:
            self._empty += 1
        return Progress(
            iteration=self.iteration,
            sampled_steps=self.sampled_steps,
            trials=self.trials,
            mean_return=result.value(SAMPLED, "episode_return_mean"),
            mean_score=result.value(SAMPLED, "final_score"),
            failures=result.count(SAMPLED, "failed_trials"),
            empty=self._empty,
            populations=sum(self.sizes.values()),
            seconds=time.monotonic() - began,
            seconds_sampling=result.value("timers", "env_runner_sampling_timer"),
            seconds_learning=result.value("timers", "learner_update_timer"),
            entropies=result.values(SAMPLED, ENTROPY),
        )

    def restart_silent(self) -> None:
        """Restart populations that are taken to live: after an iteration without anything sampled, none answers."""
        self._runners.restart()

    def is_sampling(self) -> bool:
        """Whether a population is there to sample with; those that were lost and are back take part again."""
        self._algorithm.restore_env_runners(self._algorithm.env_runner_group)
        return self._runners.n_healthy > 0

    @property
    def sizes(self) -> dict[Placement, int]:
        """Populations of each kind at present, those included that are lost and not yet back."""
        return self._runners.sizes()

    @property
    def n_lanes(self) -> int:
        """Trials that run side by side, in all populations together."""
        return sum(count * kind.n_lanes for kind, count in self.sizes.items())

    def resize(self, sizes: Mapping[Placement, int]) -> None:
        """Have more or fewer populations from the next iteration on; lost ones go first.

        A training batch stays as large as it was at first, or grows a little, as populations sample whole episodes.
        """
        self._runners.resize(sizes)

    def network(self) -> PolicyNetwork:
        """The present policy, copied out of RLlib."""
        import torch

        policy = self._algorithm.get_module().policy
        state, environment = policy.state_dict(), self.environment
        network = PolicyNetwork(policy.n_features, environment.actions, self.config.policy)
        network.load_state_dict({name: torch.as_tensor(np.asarray(value)) for name, value in state.items()})
        return network.eval()

    def _adopt(self, start: PolicyNetwork) -> None:
        """Go on from a policy; the value network stays new."""
        from ray.rllib.core import DEFAULT_MODULE_ID

        state, group = start.state_dict(), self._algorithm.learner_group
        group.foreach_learner(lambda learner: learner.module[DEFAULT_MODULE_ID].policy.load_state_dict(state))
        self._runners.sync()

    def export(self, path: Path, features: list[str], about: dict[str, Any]) -> None:
        """Write the agent as safetensors and JSON."""
        episode = self.environment.episode
        file = PolicyFile(
            features=tuple(features),
            search_space=self.environment.actions,
            policy=self.config.policy,
            max_step=episode.max_step,
            about=about,
        )
        save_policy(path, self.network(), file)

    def counters(self) -> dict[str, int]:
        """What :meth:`restore` needs beside the checkpoint."""
        return {"iteration": self.iteration, "sampled_steps": self.sampled_steps, "trials": self.trials}

    def save(self, folder: Path) -> None:
        """Write RLlib's checkpoint; it contains pickles: load only what this program wrote."""
        self._algorithm.save_to_path(str((folder / "rllib").absolute()))

    def restore(self, folder: Path, counters: dict[str, Any]) -> None:
        """Go on from a verified checkpoint of this run."""
        path = (folder / "rllib").absolute()
        if not path.is_dir():
            raise QsynthError(f"{folder} must hold an RLlib checkpoint")
        self._algorithm.restore_from_path(str(path))
        self._runners.sync()
        self.iteration, self.sampled_steps = counters["iteration"], counters["sampled_steps"]
        self.trials = counters["trials"]

    def stop(self) -> None:
        """Stop all actors; RLlib alone would wait for ever for one that hangs."""
        self._runners.resize({})
        self._algorithm.stop()


def _make_vector_env(context: Any) -> Any:
    """Called by RLlib in each worker, with ``num_envs`` in the context."""
    import torch

    from rl_envs.curriculum import CurriculumVectorEnv
    from rl_envs.vector_env import QGANTuningVectorEnv

    torch.set_num_threads(1)
    made = CurriculumVectorEnv if "tasks" in context["environment"] else QGANTuningVectorEnv
    return made(context["num_envs"], context["environment"])
