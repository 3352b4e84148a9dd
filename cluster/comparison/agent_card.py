"""An agent's card: what it was trained on, what that took, and how it did against its rivals."""

import hashlib
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cluster.comparison.summary import ComparisonSummary, in_runs
from rl_envs.policy import PolicyFile, PolicyNetwork, load_policy, save_policy


def fingerprint(network: PolicyNetwork, file: PolicyFile) -> str:
    """The same for agents that do the same, whatever their cards say."""
    digest = hashlib.sha256(file.model_copy(update={"about": {}}).model_dump_json().encode())
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()[:16]


def write_comparison(path: Path, result: ComparisonSummary) -> None:
    """Keep in an agent's file how it did, and how often it must be used until its training has paid off.

    Raises:
        QsynthError: not an agent's file, or it can't be written.
    """
    network, file = load_policy(path)
    first = result.budgets[0]
    comparison = {
        "studies": list(result.iterations),
        "problems_per_study": result.n_problems,
        "runs": first,
        "score": {each.rival.name: round(each.test[first].value, 4) for each in result.rivals if first in each.test},
        "uses_to_pay": {each.rival.name: each.uses_to_pay for each in result.rivals if each.uses_to_pay},
    }
    save_policy(path, network, file.replaced(about=file.about | {"comparison": comparison}))


def show_card(console: Console, name: str, file: PolicyFile) -> None:
    """Print it."""
    about = file.about
    console.print(f"{name}: {about.get('description', '')}", highlight=False)
    console.print(f"tunes {', '.join(file.search_space)}", highlight=False, soft_wrap=True)
    console.print(
        f"trained on {about['trials']:,} trials ({about['iterations']:,} GAN iterations, "
        f"{about['core_hours']:.2f} core-hours)",
        highlight=False,
    )
    table = _table("task", "study", "agent", "defaults")
    for task, score in about["validation"].items():
        source = about["tasks"][task]["study"]
        table.add_row(task, source, f"{score:.3f}", f"{about['validation_defaults'][task]:.3f}")
    console.print(table)
    console.print("validation scores on instances that it was not trained on\n", highlight=False)
    if comparison := about.get("comparison"):
        _show_comparison(console, comparison)


def _show_comparison(console: Console, comparison: dict[str, Any]) -> None:
    table = _table("rival", "score", "uses until the training has paid off")
    for rival, score in sorted(comparison["score"].items(), key=lambda item: -item[1]):
        table.add_row(rival, f"{score:.3f}", comparison["uses_to_pay"].get(rival, ""))
    console.print(table)
    console.print(
        f"interquartile means of test scores with {in_runs(comparison['runs'])}, "
        f"{comparison['problems_per_study']} held-out problems each of {', '.join(comparison['studies'])}\n",
        highlight=False,
        soft_wrap=True,
    )


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
