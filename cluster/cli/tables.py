"""Tables that several commands print."""

from rich.console import Console

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.report import describe_unbeaten, summary_table


def print_result(console: Console, result: ComparisonResult) -> None:
    """The tables of a comparison, and what the agent did not beat."""
    console.print(summary_table(result.summary))
    for line in describe_unbeaten(result.summary):
        console.print(
            f"not beaten: {line}" if result.summary.unbeaten() else line, markup=False, highlight=False, soft_wrap=True
        )
    if result.retrained_summary is not None:
        console.print(summary_table(result.retrained_summary, "what they returned, trained again: "))
