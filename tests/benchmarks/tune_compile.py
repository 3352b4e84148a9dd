"""What compiling costs the workers of Ray Tune, and whether they share it.

    python -m tests.benchmarks.tune_compile --out tests/benchmarks/results/tune_compile.json

Experiments of one decision a trial, on an embedded Ray as a user of Tune starts one: without compiling; compiling with
an empty cache in one worker; in two workers at once; and in two workers of a later experiment, with the cache that
these have filled. Of each trial: seconds and CPU seconds (of its process and the C++ compiler that it calls) from the
beginning of its setup to its first decision, programs that it compiled itself, and processes that it left running.
Seconds depend on who else uses the machine; CPU seconds hardly do.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from ray import tune

from cluster.machines.private_ray import private_ray
from cluster.ray_tune import GanTrainable, defaults, trainable
from cluster.study.study import Study, changed, load_study
from qsynth.execution import compilation
from tests.benchmarks import machine

TOLD = ("seconds", "cpu_seconds", "compiled", "helpers")


def timed(kind: type[GanTrainable]) -> type[GanTrainable]:
    """A study's trial that tells what it took until its first decision."""

    class Timed(kind):  # type: ignore[misc, valid-type]
        """It looks at clocks, and counts what its process compiles."""

        def setup(self, config: dict[str, Any]) -> None:
            """As it is, with a clock."""
            self._began, self._used = time.perf_counter(), used()
            self._programs: list[str] = []
            original = compilation._compile

            def counted(function: Any, arguments: Any, inputs: Any, path: Path) -> None:
                self._programs.append(path.stem)
                original(function, arguments, inputs, path)

            compilation._compile = counted
            try:
                super().setup(config)
            finally:
                compilation._compile = original

        def step(self) -> dict[str, Any]:
            """A decision, and what it took to get there."""
            result = super().step()
            return result | {
                "seconds": time.perf_counter() - self._began,
                "cpu_seconds": used() - self._used,
                "compiled": len(self._programs),
                "helpers": len(psutil.Process().children(recursive=True)),
            }

    Timed.__name__ = kind.__name__
    return Timed


def used() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usages)


def experiment(study: Study, cache: Path, n_trials: int, *, compiled: bool) -> dict[str, Any]:
    """One experiment of so many trials at once, in workers of its own."""
    kind = timed(trainable(study, compiled=compiled))
    kept = {"QSYNTH_CACHE_DIR": str(cache / "qsynth"), "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor")}
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        private_ray(num_cpus=2, object_store_memory=100_000_000, runtime_env={"env_vars": kept}),
    ):
        results = tune.Tuner(
            kind,
            param_space=defaults(study),
            tune_config=tune.TuneConfig(num_samples=n_trials),
            run_config=tune.RunConfig(storage_path=folder, verbose=0, stop={"training_iteration": 1}),
        ).fit()
    if results.errors:
        raise RuntimeError(results.errors[0])
    trials = [{name: round(result.metrics[name], 1) for name in TOLD} for result in results]
    return {"seconds": round(time.perf_counter() - began, 1), "trials": trials}


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--study", default="gaussian")
    parser.add_argument("--iterations", type=int, default=10, help="GAN iterations of a decision")
    asked = parser.parse_args()
    study = changed(load_study(asked.study), {"episode.iterations_per_decision": asked.iterations})
    result: dict[str, Any] = {"benchmark": "tune_compile", "study": asked.study, "iterations": asked.iterations}
    with tempfile.TemporaryDirectory() as name:
        for case, folder, n_trials, compiled in (
            ("eager", "none", 2, False),
            ("empty cache, one worker", "one", 1, True),
            ("empty cache, two workers", "two", 2, True),
            ("full cache, two workers", "two", 2, True),
        ):
            result[case] = experiment(study, Path(name, folder), n_trials, compiled=compiled)
            print(case, result[case], flush=True)
            machine.write(asked.out, result)


if __name__ == "__main__":
    main()
