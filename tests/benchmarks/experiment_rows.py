"""The tables of an experiment's folder for the guide to the results.

    qsynth experiment rows --out FOLDER
    python -m tests.benchmarks.experiment_rows FOLDER [--out tests/benchmarks/results]

Regimes in which cells are missing are left out.
"""

import argparse
from pathlib import Path

import rl_envs.agent_rows  # noqa: F401  registers the agent's rows
from qsynth.experiment.experiment import ExperimentFolder
from qsynth.experiment.plan import load_plan
from qsynth.experiment.report import conclusions
from qsynth.experiment.statistics import Gain
from qsynth.experiment.summary import RegimeSummary, summarise, to_dict
from tests.benchmarks import published_rows  # registers CTGAN's and TVAE's rows
from tests.benchmarks.machine import write
from tests.benchmarks.report import table

PLAN = "rows"


def main() -> None:
    """Read the folder, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    plan = load_plan(PLAN)
    plan = plan.replaced(arms=(*plan.arms, *published_rows.NAMES))
    cells = ExperimentFolder(given.folder, plan).results()
    whole = [found for found in summarise(plan, cells) if len(found.data) == len(plan.data)]
    write(given.out / f"experiment_{PLAN}.json", {"name": PLAN, "regimes": to_dict(whole)})
    parts = [_markdown(found) for found in whole]
    (given.out / f"experiment_{PLAN}.md").write_text("\n\n".join([*parts, *conclusions(whole)]) + "\n")


def _markdown(found: RegimeSummary) -> str:
    lines = []
    for arm in found.arms:
        gain = arm.over_bar
        share = "" if gain is None or gain.share is None else f"{gain.share:.0%}"
        told = ["", "", ""] if gain is None else [_gain(gain), f"{gain.p_holm:.2g}", f"{gain.won} of {gain.n}"]
        lines.append([arm.name, f"{100 * arm.balanced:.1f}", *told, share, f"{arm.cross_entropy:.3f}"])
    head = ["arm", "balanced accuracy, %", "gain, points", "p (Holm)", "data sets", "of the oracle's", "cross-entropy"]
    parts = [f"**{found.regime}**; the bar: {found.bar}", table(head, lines)]
    lines = [[name, _gain(gain), f"{gain.p_holm:.2g}", f"{gain.effect:.2f}"] for name, gain in found.against.items()]
    return "\n\n".join([*parts, table([f"{found.best} over", "gain, points", "p (Holm)", "effect"], lines)])


def _gain(gain: Gain) -> str:
    return f"{100 * gain.value:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"


if __name__ == "__main__":
    main()
