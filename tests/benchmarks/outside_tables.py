"""The tables of :mod:`tests.benchmarks.outside`, and what was not beaten."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.report import table

# 95 % bound of the Kolmogorov-Smirnov distance of 500 values to 500 others.
BOUND = 1.358 * np.sqrt(2 / 500)
STYLE_PUBLISHED = (0.015, 0.045, 0.060)
AQUA_PUBLISHED = {"Aqua 0.7.3": 0.0034, "Aqua 0.8.1": 0.1567}
TWIN = "classical"


def _over_seeds(found: Sequence[float], digits: int = 4) -> str:
    low, middle, high = min(found), float(np.median(found)), max(found)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def markdown(result: dict[str, Any]) -> str:
    """All tables: median (least to greatest) over seeds."""
    parts = ["**qiskit-finance, mean payoff above 2**"]
    lines = [[row["engine"], f"{row['payoff']:.6f}", str(row["published"])] for row in result["payoff"]]
    parts.append(table(["engine", "ours", "published"], lines))

    aqua = ", ".join(f"{value} ({name})" for name, value in AQUA_PUBLISHED.items())
    parts.append(f"**binomial(3, 1/2), 2 qubits, 1,000 samples**; published relative entropy: {aqua}")
    lines = [
        [
            *_who(rows[0]),
            _over_seeds(_of(rows, "relative_entropy")),
            _over_seeds(_of(rows, "relative_entropy_to_sample")),
        ]
        for rows in _groups(result["binomial"])
    ]
    parts.append(table(["generator", "parameters", "relative entropy to the law", "to the sample"], lines))

    parts.append(f"**3 qubits, 20,000 samples**; accepted: Kolmogorov-Smirnov distance of 500 to 500 up to {BOUND:.4f}")
    lines = [
        [
            rows[0]["target"],
            *_who(rows[0]),
            *(_over_seeds(_of(rows, what)) for what in ("ks", "relative_entropy", "ks_of_500")),
            f"{sum(_of(rows, 'accepted')):.0f} of {len(rows)}",
        ]
        for rows in _groups(result["loading"])
    ]
    header = [
        "target",
        "generator",
        "parameters",
        "KS to the law",
        "relative entropy to the law",
        "KS, 500",
        "accepted",
    ]
    parts.append(table(header, lines))

    parts.append("**3-D normal distribution**, by axis x, y, z; sd 0.177, correlations 0.2, 0.5, 0.2")
    lines = [["published (style-qGAN)", "", *(f"{value:.3f}" for value in STYLE_PUBLISHED), "", "", ""]]
    for rows in _groups(result["style"]):
        entropies = [_over_seeds([row["relative_entropy"][axis] for row in rows], 3) for axis in range(3)]
        worst = [max(row["ks"]) for row in rows]
        sd = [each for row in rows for each in row["sd"]]
        means = np.mean([row["correlation"] for row in rows], axis=0)
        correlations = ", ".join(f"{each:.2f}" for each in means)
        lines.append([*_who(rows[0]), *entropies, _over_seeds(worst, 3), _over_seeds(sd, 3), correlations])
    header = ["generator", "parameters", "KL x", "KL y", "KL z", "worst KS", "sd", "mean correlations"]
    parts.append(table(header, lines))
    n_seeds = len({row["seed"] for row in result["loading"]})
    parts.append(f"Median (least to greatest) over {n_seeds} seeds.")
    parts.append(f"Not beaten, by medians: {'; '.join(not_beaten(result)) or 'nothing'}.")
    return "\n\n".join(parts) + "\n"


def not_beaten(result: dict[str, Any]) -> list[str]:
    """Where a published number, or the classical generator's median, is at least as good as the quantum one's."""
    found = []

    def compare(what: str, own: float, others: dict[str, float]) -> None:
        found.extend(f"{name} by {what} ({each:.4f} against {own:.4f})" for name, each in others.items() if each <= own)

    for own, twin in _pairs(result["binomial"]):
        entropies = [float(np.median(_of(rows, "relative_entropy"))) for rows in (own, twin)]
        compare("relative entropy on binomial", entropies[0], {TWIN: entropies[1]} | AQUA_PUBLISHED)
    for own, twin in _pairs(result["loading"]):
        for what in ("ks", "relative_entropy"):
            medians = [float(np.median(_of(rows, what))) for rows in (own, twin)]
            compare(f"{what} on {own[0]['target']}", medians[0], {TWIN: medians[1]})
    for own, twin in _pairs(result["style"]):
        for axis, published in enumerate(STYLE_PUBLISHED):
            kl = [float(np.median([row["relative_entropy"][axis] for row in rows])) for rows in (own, twin)]
            compare(f"KL {'xyz'[axis]}", kl[0], {"style-qGAN": published, TWIN: kl[1]})
        worst = [float(np.median([max(row["ks"]) for row in rows])) for rows in (own, twin)]
        compare("worst KS of 3-D normal", worst[0], {TWIN: worst[1]})
    return found


def _pairs(rows: list[dict[str, Any]]) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """A target's seeds of the quantum generator, and those of the classical one."""
    made = [group for group in _groups(rows) if group[0]["parameters"]]
    of_target = [[group for group in made if group[0].get("target") == name] for name in _targets(made)]
    return [(own, twin) for own, twin in of_target]


def _targets(groups: list[list[dict[str, Any]]]) -> list[str | None]:
    return list(dict.fromkeys(group[0].get("target") for group in groups))


def _groups(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    keys = dict.fromkeys((row.get("target"), row["generator"]) for row in rows)
    return [[row for row in rows if (row.get("target"), row["generator"]) == key] for key in keys]


def _who(row: dict[str, Any]) -> list[str]:
    return [row["generator"], str(row["parameters"])]


def _of(rows: list[dict[str, Any]], what: str) -> list[float]:
    return [row[what] for row in rows]
