"""The tables of :mod:`tests.benchmarks.rows`, its goals, and which were missed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cluster.comparison.statistics import Estimate, mean
from qsynth.yardsticks.registry import YARDSTICKS
from tests.benchmarks.report import table

AGENT, MEAN, NETWORK, OLD = "agent", "mean schedule", "schedule network", "the recipe before"
CEILING = "second real sample"
TOLERATED, RISE, LEAD = -0.01, 0.05, 0.03

Found = dict[str, dict[str, Any]]


def markdown(result: dict[str, Found]) -> str:
    """Everybody on all families, a table for each, one of leads, and what was missed."""
    parts = [f"**all families**, score by family; means of all columns\n\n{overview(result)}"]
    parts += [f"**{family}**\n\n{of_family(found)}" for family, found in result.items()]
    parts.append(f"**the circuit under the agent against others**, score, mean (95 %)\n\n{leads(result)}")
    return "\n\n".join([*parts, "Missed: " + ("; ".join(missed(result)) or "nothing") + "."]) + "\n"


def overview(result: dict[str, Found]) -> str:
    """Whose rows get which score in which family, the best first, and means over families."""

    def over(name: str, what: str) -> float:
        return float(np.mean([np.mean(found[name][what]) for found in result.values()]))

    lines = []
    for name in sorted(next(iter(result.values())), key=lambda each: -over(each, "score")):
        cells = [f"{np.mean(found[name]['score']):.3f}" for found in result.values()]
        means = [f"{over(name, what):.3f}" for what in ("score", "old score")]
        lines.append([name, *cells, *means, f"{over(name, 'memorisation'):.2f}", f"{over(name, 'cpu_seconds'):.2g}"])
    return table(["rows of", *result, "all", "old score", "memorised", "CPU s"], lines)


def of_family(found: Found) -> str:
    """Means over problems, the best first."""
    terms = list(found[AGENT]["score terms"])
    lines = []
    for name in sorted(found, key=lambda each: -np.mean(found[each]["score"])):
        of = found[name]
        cells = [f"{np.mean(of['score']):.3f}", *(f"{np.mean(of['score terms'][term]):.2f}" for term in terms)]
        cells += [f"{np.mean(of['old score']):.3f}", f"{np.mean(of['memorisation']):.2f}", f"{of['cpu_seconds']:.2g}"]
        lines.append([name, *cells])
    return table(["rows of", "score", *terms, "old score", "memorised", "CPU s"], lines)


def difference(found: Found, name: str, other: str, what: str = "score") -> Estimate:
    """Of the means over problems, paired."""
    return mean([np.array(found[name][what]) - np.array(found[other][what])])


def best_yardstick(found: Found) -> str:
    """Whose rows are best that trained no GAN, the ceiling apart."""
    rivals = [name for name in found if name in YARDSTICKS and not YARDSTICKS[name].ceiling]
    return max(rivals, key=lambda name: float(np.mean(found[name]["score"])))


def leads(result: dict[str, Found]) -> str:
    """The agent's minus others', family by family, and over all families."""
    others = [MEAN, NETWORK, "tuned constants", "tuned TTUR", "defaults", "without a critic", "classical twin", OLD]
    lines = []
    for family, found in result.items():
        best = best_yardstick(found)
        cells = [f"{best}: {difference(found, AGENT, best).describe()}"]
        lines.append([family, *cells, *(difference(found, AGENT, other).describe() for other in others)])
    together = [mean([_paired(found, other) for found in result.values()]).describe() for other in others]
    best = mean([_paired(found, best_yardstick(found)) for found in result.values()]).describe()
    lines.append(["all", best, *together])
    return table(["family", "best yardstick", *others], lines)


def _paired(found: Found, other: str) -> np.ndarray:
    return np.array(found[AGENT]["score"]) - np.array(found[other]["score"])


def missed(result: dict[str, Found]) -> Sequence[str]:
    """Goals that were not reached, with the numbers."""
    said, better = [], 0
    for family, found in result.items():
        best = best_yardstick(found)
        lead = difference(found, AGENT, best)
        better += lead.low > 0
        if lead.low <= TOLERATED:
            said.append(f"{family}: not worse than {best} ({lead.describe()})")
        rise = difference(found, AGENT, OLD, "old score")
        if rise.value < RISE:
            said.append(f"{family}: {RISE} above the recipe before in the old score ({rise.describe()})")
        copied = difference(found, AGENT, CEILING, "memorisation")
        if copied.low > 0:
            said.append(f"{family}: as clean as a second real sample (memorised {copied.describe()} more)")
    if better < 3:
        said.append(f"above the best yardstick beyond doubt on three families ({better})")
    for name in (MEAN, NETWORK):
        over = mean([_paired(found, name) for found in result.values()])
        if over.value < LEAD or over.low <= 0:
            said.append(f"{LEAD} above the {name} ({over.describe()})")
    return said
