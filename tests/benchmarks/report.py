"""A result file as a Markdown table and a plot.

    python -m tests.benchmarks.report tests/benchmarks/results/speed.json

Prints the table, and writes it and the plot beside the result (``speed.md``, ``speed.png``).
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def series(row: dict[str, Any]) -> str:
    """What a row's line is called: the method, and how many trials run together where it can run many."""
    if row["method"] in ("default.qubit", "lightning.qubit", "pyqtorch"):
        return f"{row['method']} loop"
    return f"{row['method']}, {row['n_lanes']} {'trial' if row['n_lanes'] == 1 else 'trials'}"


def speed(result: dict[str, Any]) -> tuple[str, list[str]]:
    """CPU milliseconds per trial and iteration by qubits; and reasons for what is left out."""
    qubits = sorted({row["n_qubits"] for row in result["rows"]})
    cells: dict[str, dict[int, str]] = {}
    notes = []
    for row in result["rows"]:
        line = cells.setdefault(series(row), {})
        if "skipped" in row:
            notes.append(f"{series(row)}, {row['n_qubits']} qubits: {row['skipped']}")
        else:
            ratio = row["ms"] / result["floor"][str(row["n_qubits"])]["ms"]
            # The floor is that of training with a critic.
            of_floor = "" if "without a critic" in row["method"] else f" ({number(ratio)}x)"
            line[row["n_qubits"]] = number(row["ms"]) + of_floor
    floors = ["floor", *(number(result["floor"][str(n)]["ms"]) for n in qubits)]
    lines = [[name, *(line.get(n, "") for n in qubits)] for name, line in cells.items()]
    header = ["CPU ms (x floor)", *(f"{n} qubits" for n in qubits)]
    compiling = {}
    for row in result["rows"]:
        if row.get("compile_s"):
            compiling.setdefault(series(row), []).append(row["compile_s"])
    dated: dict[str, list[str]] = {}
    for row in result["rows"]:
        if "date" in row:
            dated.setdefault(row["date"], []).append(f"{series(row)}, {row['n_qubits']} qubits")
    notes += [f"measured {date}: {'; '.join(names)}" for date, names in dated.items()]
    for name, seconds in compiling.items():
        notes.append(f"{name} compiles in {number(min(seconds))} to {number(max(seconds))} CPU s")
    return table(header, [*lines, floors]), notes


def plot_speed(result: dict[str, Any], path: Path) -> None:
    """One line per method, both axes such that a constant factor is a constant distance."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.subplots()
    colours = {
        "qsynth compiled": "C0",
        "qsynth compiled without a critic": "C5",
        "qsynth eager": "C9",
        "JAX": "C1",
        "JAX without a critic": "C6",
        "default.qubit": "C2",
        "lightning.qubit": "C3",
        "pyqtorch": "C4",
    }
    shown = [row for row in result["rows"] if "ms" in row and row["n_lanes"] in (1, 64)]
    for name in dict.fromkeys(series(row) for row in shown):
        rows = [row for row in shown if series(row) == name]
        many = rows[0]["n_lanes"] > 1
        axes.plot(
            [row["n_qubits"] for row in rows],
            [row["ms"] for row in rows],
            color=colours[rows[0]["method"]],
            linestyle="-" if many else "--",
            marker="o" if many else ".",
            label=name,
        )
    qubits = sorted(map(int, result["floor"]))
    axes.plot(qubits, [result["floor"][str(n)]["ms"] for n in qubits], "k:", label="floor")
    axes.set(yscale="log", xticks=qubits, xlabel="qubits", ylabel="CPU ms per GAN iteration and trial")
    axes.grid(alpha=0.3, which="both")
    figure.legend(fontsize=8, loc="outside right upper")
    figure.savefig(path, dpi=120)


def scaling(result: dict[str, Any]) -> tuple[str, list[str]]:
    """Rates by runners."""
    rows = [
        [
            str(row["n_runners"]),
            number(row["rate"]),
            f"{row['efficiency']:.2f}",
            f"{100 * row['share_outside_gan']:.0f} %",
        ]
        for row in result["rows"]
    ]
    header = ["runners", "decisions/s", "efficiency", "outside the GAN"]
    return table(header, rows), []


def crossover(result: dict[str, Any]) -> tuple[str, list[str]]:
    """The fastest engine by qubits."""
    rows = [
        [
            case["kind"],
            f"{case['batch']} x {case['lanes']}",
            {"ms": "value", "ms_gradient": "gradient"}[case["quantity"]],
            "; ".join(f"{name}: {', '.join(map(str, qubits))}" for name, qubits in case["fastest"].items()),
        ]
        for case in result["crossovers"]
        if case["fastest"]
    ]
    return table(["kind", "batch x trials", "what", "fastest at (qubits)"], rows), []


REPORTS = {"speed": speed, "scaling": scaling, "crossover": crossover}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    path: Path = parser.parse_args().result
    result = json.loads(path.read_text())
    machine = result["machine"]
    text, notes = REPORTS[result["benchmark"]](result)
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['date']}; `{machine['command']}`"
    if "roofs" in result:
        roofs = result["roofs"]
        about += f"; one core: {number(roofs['gflops'])} GFLOP/s, {number(roofs['gbytes_per_s'])} GB/s"
    page = "\n\n".join([text, about, "\n".join(f"- {note}" for note in notes)]).rstrip() + "\n"
    path.with_suffix(".md").write_text(page)
    if result["benchmark"] == "speed":
        plot_speed(result, path.with_suffix(".png"))
    print(page)


if __name__ == "__main__":
    main()
