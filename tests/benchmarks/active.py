"""Active learning: how many rows, and circuits, a QNN saves that chooses what it learns from.

    python -m tests.benchmarks.active [--quick] [--out tests/benchmarks/results/active]

Settings, written down before this run (development was on iris, two_curves, and the queried Ising chain, with two to
six seeds; a former run, in which two folds stopped fits early, showed on breast_cancer what that costs):

- Six tables: qubit_calibrations, hidden_manifold, and the observables (20 shots) of 1,000 states each of the XXZ and
  Ising chains, the hydrogen molecule, and four classes of entanglement. A pool of 200 rows for each of 10 seeds, a
  third of a table, at most 400 rows, to test on, the same for all seeds. Four features.
- One phase diagram, of the cluster-Ising ring of four qubits: 200 points a seed, each a circuit for each of four
  measurements with 20 shots on ``lightning.qubit``, when it is queried and not before; 200 measured points to test on.
- Two rows a class to begin with, then five queries of six rows; random goes on for five more.
- A QNN of two layers (strongly entangling) with three starts and 40 steps, classes weighted equally, fitted anew after
  each query.
- The generator is the tied Gaussian of each learner's known rows, and on XXZ qsynth's circuit besides.
- What counts: rows that random needs for the balanced accuracy that a strategy ends with, over the strategy's rows.
  Intervals are of 10 seeds, for these test rows.

After each data set ``OUT.json`` has all curves, in the end ``OUT.md`` the tables and ``OUT.png`` the picture; a run
that was stopped goes on with the data sets that ``OUT.json`` lacks. A quick one writes to ``active-quick`` here.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from qsynth.data.quantum.source import QuantumData
from qsynth.data.tabular import PartitionedTable, TableData
from qsynth.experiment.active_learning.active import ActiveConfig, ActiveResult, learn
from qsynth.experiment.active_learning.pools import Pool, TablePool
from qsynth.experiment.active_learning.queried_circuits import CircuitsConfig, Laboratory, QueriedCircuits
from qsynth.experiment.active_learning.queries import QUERY_STRATEGIES, RANDOM
from qsynth.experiment.active_learning.rows_saved import Saving, saving
from qsynth.experiment.regime import FewLabels
from qsynth.experiment.task import draw_task
from qsynth.files.picture import png
from qsynth.qnn.fit import QNNConfig
from tests.benchmarks import machine
from tests.benchmarks.report import table

TABLES: tuple[PartitionedTable, ...] = (
    TableData(name="qubit_calibrations"),
    TableData(name="hidden_manifold"),
    QuantumData(name="xxz"),
    QuantumData(name="ising"),
    QuantumData(name="h2"),
    QuantumData(name="entanglement"),
)
CIRCUITS = CircuitsConfig(chain="cluster_ising")
CIRCUIT_GENERATOR = ("xxz-4",)  # where the rows of qsynth's circuit choose, too
POOL = FewLabels(n_rows=200, n_more=1)
N_SEEDS = 10
COLOURS = ("#555555", "#0072B2", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#E69F00")

Source = tuple[str, Callable[[int], Pool]]


def sources(tables: Sequence[PartitionedTable], circuits: CircuitsConfig) -> list[Source]:
    """What is learned, each a name and what makes a seed's pool; circuits come first."""
    laboratory = QueriedCircuits.of(Laboratory(circuits))
    return [(f"{circuits.chain}, queried", laboratory), *((each.title, _pool(each)) for each in tables)]


def _pool(source: PartitionedTable) -> Callable[[int], Pool]:
    return lambda seed: TablePool(draw_task(source, POOL, seed))


def strategies(results: Sequence[ActiveResult]) -> list[str]:
    """Names of all strategies but random, those of the first data set first."""
    return list(dict.fromkeys(name for each in results for name in each.curves if name != RANDOM))


def savings(results: Sequence[ActiveResult]) -> list[Saving]:
    """Of every strategy on the data sets where it ran, the highest factor first."""
    found = [saving([each for each in results if name in each.curves], name) for name in strategies(results)]
    return sorted(found, key=lambda each: -each.factor)


def markdown(results: Sequence[ActiveResult]) -> str:
    """Savings over all data sets, on each of them, and the ends of the curves."""
    seeds = len(results[0].seeds)
    header = ["strategy", "factor", "rows saved", "points over random", "random never gets there"]
    lines = [
        [
            each.strategy,
            f"{each.factor:.2f} ({each.low:.2f} to {each.high:.2f})",
            f"{each.rows:+.1f} ({each.rows_low:+.1f} to {each.rows_high:+.1f})",
            f"{each.points:+.2f} ({each.points_low:+.2f} to {each.points_high:+.2f})",
            f"{each.beyond} of {each.n}",
        ]
        for each in savings(results)
    ]
    parts = [f"# Active learning, {seeds} seeds", table(header, lines), "## Factor on each data set"]
    names = strategies(results)
    alone = {(name, each.data): saving([each], name) for name in names for each in results if name in each.curves}
    parts.append(
        table(
            ["strategy", *(each.data for each in results)],
            [[name, *(_factor(alone.get((name, each.data))) for each in results)] for name in names],
        )
    )
    parts += ["## Balanced accuracy, %, at the start and after all queries", _ends(results)]
    measured = [each for each in results if each.circuits[-1]]
    for each in measured:
        a_row = each.circuits[-1] // each.n_known[-1]
        own = [alone[name, each.data] for name in names if (name, each.data) in alone]
        lines = [
            [
                found.strategy,
                f"{each.circuits[len(each.curves[found.strategy][0]) - 1]}",
                f"{a_row * found.rows:+.0f} ({a_row * found.rows_low:+.0f} to {a_row * found.rows_high:+.0f})",
            ]
            for found in own
        ]
        parts += [f"## Circuits, {each.data}", table(["strategy", "circuits", "saved"], lines)]
    parts += ["## Strategies", "\n".join(f"- {name}: {QUERY_STRATEGIES[name].about}." for name in (RANDOM, *names))]
    return "\n\n".join(parts) + "\n"


def _factor(found: Saving | None) -> str:
    if found is None:
        return ""
    sign = ">= " if found.beyond else ""
    return f"{sign}{found.factor:.2f} ({found.low:.2f} to {found.high:.2f})"


def _ends(results: Sequence[ActiveResult]) -> str:
    lines = []
    for name in (RANDOM, *strategies(results)):
        ends = []
        for each in results:
            curves = each.curves.get(name)
            if curves is None:
                ends.append("")
                continue
            last = min(len(seeds[0]) for seeds in each.curves.values()) - 1
            first, end = (100 * sum(curve[at] for curve in curves) / len(curves) for at in (0, last))
            ends.append(f"{first:.1f} to {end:.1f}")
        lines.append([name, *ends])
    return table(["strategy", *(each.data for each in results)], lines)


def picture(results: Sequence[ActiveResult]) -> bytes:
    """Mean balanced accuracy over rows, a panel a data set."""
    from matplotlib.figure import Figure

    n_wide = min(3, len(results))
    n_high = -(-len(results) // n_wide)
    figure: Any = Figure(figsize=(4.2 * n_wide, 3.1 * n_high), layout="constrained")
    panels = figure.subplots(n_high, n_wide, squeeze=False).flatten()
    for axes, each in zip(panels, results, strict=False):
        for colour, (name, curves) in zip(COLOURS, each.curves.items(), strict=False):
            mean = [100 * sum(values) / len(values) for values in zip(*curves, strict=True)]
            axes.plot(each.n_known[: len(mean)], mean, color=colour, label=name, marker="o", ms=3)
        axes.set_title(each.data, fontsize=10)
        axes.set_xlabel("rows known")
        axes.set_ylabel("balanced accuracy, %")
        axes.grid(alpha=0.3)
    for axes in panels[len(results) :]:
        axes.axis("off")
    panels[0].legend(fontsize=7)
    return png(figure, 110)


def write(out: Path, config: ActiveConfig, results: Sequence[ActiveResult], seconds: float) -> None:
    """``OUT.json``."""
    state = {
        "config": config.model_dump(mode="json"),
        "cpu_seconds": round(seconds, 1),
        "results": [each.to_dict() for each in results],
    }
    machine.write(out.with_suffix(".json"), state)


def kept(path: Path, config: ActiveConfig) -> tuple[list[ActiveResult], float]:
    """Results of a run with these settings that was stopped, and the CPU seconds that they took."""
    if not path.exists():
        return [], 0.0
    state = json.loads(path.read_text())
    if state["config"] != config.model_dump(mode="json"):
        return [], 0.0
    return [ActiveResult.from_dict(each) for each in state["results"]], state["cpu_seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds, one table, few steps")
    parser.add_argument("--out", type=Path, help="files to write, without ending")
    arguments = parser.parse_args()
    out = arguments.out or (Path("active-quick") if arguments.quick else Path(__file__).parent / "results" / "active")
    torch.set_num_threads(1)
    config, tables, circuits, n_seeds = ActiveConfig(), TABLES, CIRCUITS, N_SEEDS
    if arguments.quick:
        qnn = QNNConfig(n_starts=2, n_steps=10)
        config = ActiveConfig(strategies=("uncertainty", "generator"), n_rounds=2, n_more_rounds=1, qnn=qnn)
        tables, n_seeds = (TableData(name="two_curves"),), 2
        circuits = CircuitsConfig(chain="ising", n_points=40, n_test=40)
    results, spent = kept(out.with_suffix(".json"), config)
    began = time.process_time() - spent
    for name, pool in sources(tables, circuits):
        if name in [each.data for each in results]:
            continue
        more = ("circuit generator",) if name in CIRCUIT_GENERATOR else ()
        own = config.replaced(strategies=(*config.strategies, *more))
        results.append(learn(name, pool, range(n_seeds), own))
        print(f"{name}: {time.process_time() - began:.0f} CPU s", flush=True)
        write(out, config, results, time.process_time() - began)
    text = markdown(results)
    write(out, config, results, time.process_time() - began)
    out.with_suffix(".md").write_text(text)
    out.with_suffix(".png").write_bytes(picture(results))
    print(text)


if __name__ == "__main__":
    main()
