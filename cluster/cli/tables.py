"""Tables that several commands print."""

from rich.console import Console

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.report import describe_unbeaten, summary_table
from cluster.comparison.rows_report import rows_table
from cluster.comparison.rows_summary import RowsSummary


def print_result(console: Console, result: ComparisonResult) -> None:
    """The tables of a comparison, and what the agent did not beat."""
    console.print(summary_table(result.summary))
    if result.rows is not None:
        print_rows(console, result.rows)
    for study, rows in result.rows_of_families.items():
        console.print(f"{study}: {rows.conclusion}", markup=False, highlight=False, soft_wrap=True)
    for line in describe_unbeaten(result.summary):
        console.print(
            f"not beaten: {line}" if result.summary.unbeaten() else line, markup=False, highlight=False, soft_wrap=True
        )
    if result.retrained_summary is not None:
        console.print(summary_table(result.retrained_summary, "what they returned, trained again: "))


def print_rows(console: Console, rows: RowsSummary) -> None:
    """The GAN's rows beside those of yardsticks, and what to conclude."""
    console.print(rows_table(rows))
    console.print(rows.conclusion, style="bold", markup=False, highlight=False, soft_wrap=True)
