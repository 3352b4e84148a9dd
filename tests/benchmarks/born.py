"""Whether a Born machine tells the law of a ground state's bits from fewer shots than classical models do.

    python -m tests.benchmarks.born [--seeds 10] [--quick] [--jobs 2] [--again] [--out tests/benchmarks/results]

Laws: the open Ising chain of six and eight qubits in X at three fields and in Z at the critical one. Shots: the first n
of :class:`qsynth.data.quantum.bitstrings.GroundStateBits` of one held-out seed. Each model comes as it is, and with the
chain's symmetries (:class:`tests.benchmarks.born_shots.Symmetry`), through which it also learns. Options, stop and the
share of the uniform law are chosen by likelihood on four folds of the n shots, never by the exact law, which only
measures: total variation TV, Kullback-Leibler divergence KL of the model from it (nats) and the overlap sum sqrt(p q).
Plain counts choose nothing; their KL is infinite, and left out.

Rows' worth: how many shots plain symmetrised counts need for the model's TV, over n. Between sizes TV is interpolated
in logarithms; means over seeds go in, and laws are averaged geometrically. Intervals are bootstrap ones over seeds, 95
%, paired; a seed's shots of different laws are related, so it is drawn whole.

Settings were fixed before the first look at these laws, on six bits at a field of 0.8, other seeds and other splits:
two or three layers of ``hardware_efficient`` (one and four were level; ``basic_entangler`` lost 0.1 of TV), starts
of standard deviation 0.1 (0.3 was no better), Adam at 0.1 for 60 steps (with two layers 0.05 and 0.15 were level), for
classical models at 0.15 for 120; two starts, of which the likelier on the model's own shots is taken; mixtures of 2, 4
or 8 parts; weight decays of 0 to 0.03; as many hidden spins as bits. Mixtures learn by gradients, as all else does, not
by EM; a test compares both.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch
from torch import Tensor

from qsynth.data.quantum.bitstrings import GroundStateBits
from tests.benchmarks.born_models import CHECKPOINTS, chain_laws, fitted, flipped, models
from tests.benchmarks.born_shots import FLOOR, Folds, Symmetry
from tests.benchmarks.machine import write
from tests.benchmarks.report import table

LAWS = tuple(
    (n_qubits, basis, field)
    for n_qubits in (8, 6)
    for basis, field in (*(("x", h) for h in (0.5, 1.0, 1.5)), ("z", 1.0))
)
SIZES, YARDSTICK_SIZES = (20, 50, 100, 200, 400), (6, 10, 20, 50, 100, 200, 400, 800, 1600, 3200, 6400)
N_FOLDS, N_BOOTSTRAP = 4, 1000
COUNTS, BORN, PLAIN, SYMMETRIC = "counts", "Born", "as it is", "symmetrised"
# What knows the Hamiltonian.
TOLD = ("Born of the chain's terms", "the chain at its likeliest field")
Floats = np.ndarray[Any, np.dtype[np.float64]]


def measured(laws: Tensor, exact: Tensor) -> dict[str, list[float]]:
    """Of each law (sets x D), how far it is from the exact one."""
    laws = laws.double()
    return {
        "tv": (0.5 * (laws - exact).abs().sum(dim=1)).tolist(),
        "kl": (exact * (torch.log(exact.clamp(min=FLOOR**4)) - torch.log(laws.clamp(min=FLOOR)))).sum(dim=1).tolist(),
        "overlap": torch.sqrt(laws * exact).sum(dim=1).tolist(),
    }


@dataclass(frozen=True)
class Plan:
    """Seeds, numbers of shots, and the most steps of Adam; ``held_out`` splits are not those of development."""

    seeds: range
    sizes: tuple[int, ...]
    most_steps: int
    held_out: bool = True


def of_law(plan: Plan, law: tuple[int, str, float]) -> dict[str, Any]:
    """All models on all shots of one law; a measure of a model in one form has a list of sizes for each seed."""
    n_qubits, basis, field = law
    data = GroundStateBits.model_validate(
        {"n_qubits": n_qubits, "basis": basis, "field": field, "n_train": YARDSTICK_SIZES[-1]}
    )
    exact, began = torch.from_numpy(data.probabilities().copy()), time.process_time()
    shots = [data.strings(data.instance(seed, plan.held_out).train.x) for seed in plan.seeds]
    sets = [each[:size] for each in shots for size in plan.sizes]
    folds, symmetry = Folds.of(sets, len(exact), N_FOLDS), Symmetry(n_qubits, basis)
    shares, uniform = folds.shares(), torch.full((len(exact),), 1 / len(exact))
    lane_seeds = torch.tensor(plan.seeds).repeat_interleave(len(plan.sizes) * (N_FOLDS + 1))
    laws: dict[str, dict[str, Tensor]] = {PLAIN: {}, SYMMETRIC: {}}
    seconds: dict[str, float] = {}
    for form, through in ((PLAIN, None), (SYMMETRIC, symmetry)):
        even, counts = (uniform, shares) if through is None else (through(uniform), through(shares))
        laws[form][COUNTS] = folds.whole(counts)
        laws[form]["smoothed counts"] = folds.chosen(counts[None], even)[0]
        laws[form]["counts, bits turned over"] = folds.chosen(flipped(n_qubits, through, shares), even)[0]
        for name, model in models(n_qubits, basis).items():
            if through is not None or model.both_forms:
                start = time.process_time()
                fits = [fitted(each, through, shares, lane_seeds, plan.most_steps) for each in model.options]
                laws[form][name] = folds.chosen(torch.cat(fits), even)[0]
                seconds[f"{name}, {form}"] = time.process_time() - start
    laws[SYMMETRIC][TOLD[1]] = chain_laws(n_qubits, basis, folds.whole(shares))

    def by_seed(values: list[float]) -> list[list[float]]:
        return np.array(values).reshape(len(plan.seeds), -1).tolist()  # type: ignore[no-any-return]

    counted = [np.bincount(each[:size], minlength=len(exact)) / size for each in shots for size in YARDSTICK_SIZES]
    yardstick = measured(symmetry(torch.from_numpy(np.array(counted)).float()), exact)["tv"]
    return {
        "n_qubits": n_qubits,
        "basis": basis,
        "field": field,
        "sizes": list(plan.sizes),
        "models": {
            form: {
                name: {key: by_seed(each) for key, each in measured(found, exact).items()}
                for name, found in of_form.items()
            }
            for form, of_form in laws.items()
        },
        "yardstick": by_seed(yardstick),
        "seconds": seconds,
        "cpu_seconds": time.process_time() - began,
    }


def resampled(n_seeds: int) -> list[np.ndarray]:
    """Seeds as they are, and as the bootstrap draws them."""
    rng = np.random.default_rng(0)
    return [np.arange(n_seeds), *rng.integers(n_seeds, size=(N_BOOTSTRAP, n_seeds))]


def interval(of_seeds: Callable[[np.ndarray], Floats], n_seeds: int) -> dict[str, list[float]]:
    """What ``of_seeds`` gives for all seeds, one number a size, and its 95 % interval."""
    value, *others = (of_seeds(drawn) for drawn in resampled(n_seeds))
    low, high = np.quantile(others, [0.025, 0.975], axis=0)
    return {"value": value.tolist(), "low": low.tolist(), "high": high.tolist()}


def distances(laws: list[dict[str, Any]], form: str, name: str, measure: str = "tv") -> Floats:
    """Laws x seeds x sizes."""
    return np.array([law["models"][form][name][measure] for law in laws])


def worth(laws: list[dict[str, Any]], form: str, name: str) -> dict[str, list[float]]:
    """Shots that symmetrised counts need for the model's TV over those that it had, by size."""
    own, yardstick = distances(laws, form, name), np.array([law["yardstick"] for law in laws])
    sizes = np.log(YARDSTICK_SIZES)

    def of_seeds(drawn: np.ndarray) -> Floats:
        logs = [
            np.interp(np.log(tv), np.log(counts[::-1]), sizes[::-1])
            for tv, counts in zip(own[:, drawn].mean(axis=1), yardstick[:, drawn].mean(axis=1), strict=True)
        ]
        return np.asarray(np.exp(np.mean(logs, axis=0)) / np.array(laws[0]["sizes"]))

    return interval(of_seeds, own.shape[1])


def edge(laws: list[dict[str, Any]], form: str, name: str, rival: str, measure: str) -> dict[str, list[float]]:
    """A measure of the rival less that of the model, both in one form, mean over laws: above 0 the model is better."""
    sign = -1 if measure == "overlap" else 1
    apart = sign * (distances(laws, form, rival, measure) - distances(laws, form, name, measure)).mean(axis=0)
    return interval(lambda drawn: np.asarray(apart[drawn].mean(axis=0)), len(apart))


def hindsight(laws: list[dict[str, Any]], form: str, name: str, measure: str) -> dict[str, list[float]]:
    """The edge over whichever classical model is best for each law and size, which nobody could know: by the exact law
    and the same seeds, chosen anew whenever seeds are drawn. So it is a bound from below."""
    rivals = [
        each
        for each in laws[0]["models"][form]
        if not each.startswith(BORN) and each not in TOLD and (measure, each) != ("kl", COUNTS)
    ]
    own, others = (
        distances(laws, form, name, measure),
        np.stack([distances(laws, form, each, measure) for each in rivals]),
    )

    def of_seeds(drawn: np.ndarray) -> Floats:
        best = others[:, :, drawn].mean(axis=2).min(axis=0)
        return np.asarray((best - own[:, drawn].mean(axis=1)).mean(axis=0))

    return interval(of_seeds, own.shape[1])


def analysed(laws: list[dict[str, Any]]) -> dict[str, Any]:
    """What follows from all laws together, and from each."""
    names = {form: list(laws[0]["models"][form]) for form in (PLAIN, SYMMETRIC)}
    machines = {form: [name for name in names[form] if name.startswith(BORN) and name not in TOLD] for form in names}
    return {
        "worth": {form: {name: worth(laws, form, name) for name in names[form]} for form in names},
        "edge": {
            measure: {
                form: {
                    name: edge(laws, form, BORN, name, measure)
                    for name in names[form]
                    if name != BORN and not (measure == "kl" and name == COUNTS)
                }
                for form in names
            }
            for measure in ("tv", "kl", "overlap")
        },
        "hindsight": {
            measure: {
                f"{name}, {form}": hindsight(laws, form, name, measure) for form in names for name in machines[form]
            }
            for measure in ("tv", "kl")
        },
        "hindsight_of_each_law": {
            f"{title(law)}: {name}": hindsight([law], SYMMETRIC, name, "tv")
            for law in laws
            for name in machines[SYMMETRIC]
        },
        "worth_of_each_law": {
            f"{title(law)}: {name}": worth([law], SYMMETRIC, name)
            for law in laws
            for name in names[SYMMETRIC]
            if name != COUNTS
        },
    }


def title(law: dict[str, Any]) -> str:
    """Of a law, e.g. ``6 bits, X, h = 0.5``."""
    return f"{law['n_qubits']} bits, {law['basis'].upper()}, h = {law['field']:g}"


def page(result: dict[str, Any]) -> str:
    """All of it as Markdown."""
    laws, names = result["laws"], {form: list(models) for form, models in result["laws"][0]["models"].items()}
    columns = [f"n = {size}" for size in laws[0]["sizes"]]

    def cells(found: dict[str, list[float]], digits: int, sign: str = "") -> list[str]:
        trios = zip(found["value"], found["low"], found["high"], strict=True)
        return [f"{v:{sign}.{digits}f} ({low:{sign}.{digits}f} to {high:{sign}.{digits}f})" for v, low, high in trios]

    parts = []
    for form, of_form in names.items():
        for measure in ("tv", "kl", "overlap"):
            lines = [
                [name, *(f"{each:.3f}" for each in distances(laws, form, name, measure).mean(axis=(0, 1)))]
                for name in of_form
                if not (measure == "kl" and name == COUNTS)
            ]
            parts.append(table([f"{measure.upper()}, {form}", *columns], lines))
        lines = [[name, *cells(result["worth"][form][name], 2)] for name in of_form]
        parts.append(table([f"worth of rows, {form}", *columns], lines))
        for measure in ("tv", "kl", "overlap"):
            lines = [[name, *cells(each, 3, "+")] for name, each in result["edge"][measure][form].items()]
            parts.append(table([f"Born machine's edge in {measure.upper()}, {form}, over", *columns], lines))
    for measure, found in result["hindsight"].items():
        lines = [[name, *cells(each, 3, "+")] for name, each in found.items()]
        parts.append(table([f"edge in {measure.upper()} over the best classical model of each law", *columns], lines))
    lines = [[name, *cells(each, 3, "+")] for name, each in result["hindsight_of_each_law"].items()]
    parts.append(table([f"edge in TV, {SYMMETRIC}, over the best classical model", *columns], lines))
    lines = [[name, *cells(each, 2)] for name, each in result["worth_of_each_law"].items()]
    parts.append(table([f"worth of rows, {SYMMETRIC}", *columns], lines))
    seconds = {key: sum(law["seconds"][key] for law in laws) for key in laws[0]["seconds"]}
    parts.append(table(["fits", "CPU s"], [[key, f"{each:.0f}"] for key, each in seconds.items()]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="two seeds, two sizes and one law of four qubits")
    parser.add_argument("--again", action="store_true", help="make the tables anew of what was measured before")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one law each")
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    plan = Plan(range(given.seeds), SIZES, CHECKPOINTS[-1])
    wanted: tuple[tuple[int, str, float], ...] = LAWS
    if given.quick:
        plan, wanted = Plan(range(2), SIZES[:2], CHECKPOINTS[2]), ((4, "x", 1.0),)
    laws = json.loads((given.out / "born.json").read_text())["laws"] if given.again else []
    with ProcessPoolExecutor(given.jobs, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        for law in pool.map(partial(of_law, plan), () if given.again else wanted):
            laws.append(law)
            print(title(law), f"{law['cpu_seconds']:.0f} CPU s", flush=True)
            write(given.out / "born.json", {"laws": laws})
    result = {"laws": laws, **analysed(laws)}
    write(given.out / "born.json", result)
    (given.out / "born.md").write_text(page(result))


if __name__ == "__main__":
    main()
