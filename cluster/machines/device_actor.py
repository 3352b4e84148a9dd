"""The stage on hardware as an actor that holds the device."""

from typing import Any

import ray

from cluster.study.hardware import HardwareConfig
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import Stage
from qsynth.data.dataset import Instance
from qsynth.errors import QsynthError
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from rl_envs.fine_tuning import FineTuning


@ray.remote
class DeviceTrial:
    """One trial on one device; Ray gives the ``qpu`` to no other meanwhile."""

    def __init__(self) -> None:
        import torch

        from rl_envs.watchdog import Watchdog

        torch.set_num_threads(1)
        Watchdog.allow()
        self._found: FineTuning | None = None

    def latest(self) -> FineTuning | None:
        """What there is so far."""
        return self._found

    def simulate(
        self, hardware: HardwareConfig, trial: TrialConfig, snapshot: Snapshot, instance: Instance
    ) -> dict[str, float]:
        """Test scores on the exact simulator, with as many rows as on the device."""
        from qsynth.population.population import Population
        from rl_envs.exam import examine
        from rl_envs.fine_tuning import scores_of

        population = Population(hardware.simulated(trial), instance.n_features, instance.n_classes, 1)
        population.restore(0, hardware.start(snapshot), instance)
        return scores_of(examine(population, [0], n_fresh=1))

    def run(self, hardware: HardwareConfig, trial: TrialConfig, snapshot: Snapshot, instance: Instance) -> None:
        """Fine-tune on the device."""
        from qsynth.population.population import Population
        from rl_envs.fine_tuning import fine_tuning
        from rl_envs.tuner import Tuner

        population = Population(hardware.trial(trial), instance.n_features, instance.n_classes, 1)
        for self._found in fine_tuning(
            Tuner(population, hardware.episode(), n_measurements=2), hardware.start(snapshot), instance
        ):
            pass


def run_on_device(
    hardware: HardwareConfig,
    trial: TrialConfig,
    snapshot: Snapshot,
    instance: Instance,
    name: str,
    stage: Stage,
    guard: InterruptGuard,
) -> tuple[dict[str, float], FineTuning]:
    """Test scores on the exact simulator, and the fine-tuning on the device.

    When a signal comes, what is done so far is what is kept: a device that was paid for is not paid for again.

    Raises:
        QsynthError: the device failed before there was anything to keep.
        Interrupted: a signal came before there was anything to keep.
    """
    # No CPU: the host of a device need not offer any to populations.
    actor: Any = DeviceTrial.options(  # type: ignore[attr-defined]
        name=f"{name}:device", num_cpus=0, resources={"qpu": 1}, max_concurrency=2
    ).remote()
    arguments = hardware, trial, snapshot, instance
    try:
        ideal = ray.get(actor.simulate.remote(*arguments))
        running = actor.run.remote(*arguments)
        found: FineTuning | None = None
        while not ray.wait([running], timeout=1.0)[0]:
            found = ray.get(actor.latest.remote())
            if found is None:
                guard.check()
            else:
                stage.update(len(found.scores) - 1, score=found.scores[found.kept])
                if guard.requested is not None:
                    return ideal, found
        ray.get(running)
        found = ray.get(actor.latest.remote())
    except ray.exceptions.RayTaskError as error:
        raise QsynthError(" ".join(str(error.cause).split())) from None
    except (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError):
        raise QsynthError("the process of the device died; is memory short? does the device hang?") from None
    finally:
        ray.kill(actor)
    assert found is not None
    stage.update(hardware.n_decisions, score=found.scores[found.kept])
    return ideal, found
