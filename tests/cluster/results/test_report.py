from dataclasses import replace

import pytest
from rich.console import Console

from cluster.results.report import contender_table, report_markdown
from cluster.results.study_result import ContenderResult, StudyResult
from qsynth.errors import QsynthError


def contender(name: str, *scores: float, runs: int = 1, detail: str = "") -> ContenderResult:
    return ContenderResult(name, runs, 500, scores, (), 1_920_000, detail)


AGENT = replace(contender("agent", 0.6, 0.7, 0.8, detail="PPO"), fraction_to_best_constants=0.3)
WEAKER = contender("best_constants", 0.5, 0.6, 0.72, detail="lr_g 0.004 | lr_d 0.006")
STRONGER = contender("random_search", 0.7, 0.81, 0.9, runs=32)
SIMILAR = contender("asha", 0.9, 0.4, 0.83, runs=8)


def study(*contenders: ContenderResult) -> StudyResult:
    return StudyResult("gaussian", contenders, {"plots": "runs/plots"}, {"sampled_steps": 76_800.0, "seconds": 241.375})


def unbeaten(report: str) -> str:
    return report.split("## What the agent did not beat")[1].split("## ")[0].strip()


def test_what_the_agent_did_not_beat_is_said_plainly() -> None:
    lines = unbeaten(report_markdown(study(AGENT, WEAKER, STRONGER, SIMILAR))).splitlines()
    assert len(lines) == 2
    assert lines[0] == (
        "- **random_search**: mean score 0.803 against the agent's 0.700, with 32 runs of 500 iterations per instance "
        "against 1 run of 500 iterations. Agent minus it: -0.103 (-0.118 to -0.089)."
    )
    assert lines[1].startswith("- **asha**: mean score 0.710")
    assert lines[1].endswith("the interval holds 0, so the two can't be told apart.")


def test_a_tie_is_not_a_win() -> None:
    assert "**twin**" in unbeaten(report_markdown(study(AGENT, replace(AGENT, name="twin"))))


def test_when_nothing_is_ahead_it_says_so() -> None:
    assert unbeaten(report_markdown(study(AGENT, WEAKER))).startswith("Nothing: the 95 % interval")


def test_a_lead_within_chance_is_not_a_win() -> None:
    behind = replace(AGENT, name="behind", scores=(0.7, 0.58, 0.75))
    [line] = unbeaten(report_markdown(study(AGENT, behind, WEAKER))).splitlines()
    assert line.startswith("- **behind**: mean score 0.677 against the agent's 0.700")
    assert line.endswith("the interval holds 0, so the two can't be told apart.")


def test_a_study_without_an_agent_has_no_such_section() -> None:
    report = report_markdown(study(WEAKER, STRONGER))
    assert "the agent did not beat" not in report
    assert "agent minus it" not in report


def test_markdown_table_is_whole_and_best_first() -> None:
    report = report_markdown(study(AGENT, WEAKER, STRONGER))
    rows = [line for line in report.splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}
    assert [row.split()[1] for row in rows[2:]] == ["random_search", "agent", "best_constants"]
    assert "| +0.093 (+0.065 to +0.122) |" in rows[4]  # differences .1, .1, .08; t(.975, 2) = 4.303
    assert "| at 30% |" in rows[3]
    assert "Test scores on 3 held-out instances" in report
    assert "- plots: `runs/plots`" in report
    assert "- sampled_steps: 76,800" in report
    assert "- seconds: 241.38" in report


def test_plots_are_shown_where_they_lie() -> None:
    report = report_markdown(study(AGENT, WEAKER), {"plots/scores.png": "Scores."})
    assert "## Plots\n\nScores.\n\n![plots/scores.png](plots/scores.png)\n" in report
    assert "## Plots" not in report_markdown(study(AGENT, WEAKER))


def test_one_instance_has_no_interval() -> None:
    report = report_markdown(study(contender("agent", 0.5), contender("pbt", 0.6)))
    assert "-0.100 (one instance: no interval)" in unbeaten(report)


def test_other_instances_can_not_be_paired() -> None:
    with pytest.raises(QsynthError, match="3 against 2 scores"):
        report_markdown(study(AGENT, contender("pbt", 0.6, 0.7)))


def test_table_fits_eighty_columns() -> None:
    long_name = replace(STRONGER, name="random_search_32", detail="[best] of 32")
    console = Console(width=80)
    with console.capture() as capture:
        console.print(contender_table(study(WEAKER, AGENT, long_name)))
    text = capture.get()
    assert max(map(len, text.splitlines())) <= 80
    rows = [line.split() for line in text.splitlines() if " x 500 " in line]
    assert [row[0] for row in rows] == ["random_search_32", "agent", "best_constants"]
    assert rows[1][1:] == ["1", "x", "500", "1.92M", "0.700", "(0.100)", *rows[1][7:10], "at", "30%"]
    assert "random_search_32: [best] of 32" in text
    assert "…" not in text
