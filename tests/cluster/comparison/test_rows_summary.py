"""What a newcomer is told: whose rows are best, and by how much, on the same problems."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.report import report_html
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rows_report import rows_markdown, rows_table
from cluster.comparison.rows_summary import RowsSummary
from tests.cluster.comparison.made import comparison, records, rival_result

GAN = [0.70, 0.80, 0.90, 0.80]


def beside(**scores: Sequence[float]) -> ComparisonResult:
    made = [
        replace(rival_result(name.replace("_", " "), tests), ceiling=name == "real") for name, tests in scores.items()
    ]
    return replace(comparison({"agent": GAN, "defaults": [0.1] * 4}), beside=tuple(made))


def rows(**scores: Sequence[float]) -> RowsSummary:
    found = beside(**scores).rows
    assert found is not None
    return found


def shifted(by: float, noise: float = 0.001) -> list[float]:
    return [score + by + noise * (-1) ** place for place, score in enumerate(GAN)]


def test_a_yardstick_that_is_better_on_every_problem_is_the_bar() -> None:
    found = rows(worse=shifted(-0.2), mixture=shifted(0.05), real=shifted(0.15))
    assert found.best.name == "mixture"
    assert found.conclusion == (
        "rows: the best here are of a yardstick, mixture (0.850); the GAN's (0.800) are 0.050 (0.049 to 0.051) below"
    )
    assert found.best.gan is not None
    assert found.best.gan.value == pytest.approx(-0.05)


def test_rows_that_are_better_on_every_problem_are_the_best() -> None:
    found = rows(mixture=shifted(-0.03), classical_twin=shifted(-0.1), real=shifted(0.1))
    assert found.conclusion == (
        "rows: the circuit's are best here (0.800), 0.030 (0.029 to 0.031) above the best yardstick, mixture (0.770)"
    )


@pytest.mark.parametrize("by", [0.01, -0.01])
def test_what_noise_could_do_is_level(by: float) -> None:
    found = rows(mixture=shifted(by, noise=0.05))
    assert found.conclusion.startswith("rows: the GAN's (0.800) are level with the best yardstick, mixture (0.")
    assert f"{-by:+.3f}, -0." in found.conclusion
    assert " to +0." in found.conclusion


def test_one_problem_proves_little() -> None:
    result = replace(comparison({"agent": [0.7]}), beside=(rival_result("mixture", [0.9]),))
    assert result.rows is not None
    assert result.rows.conclusion == (
        "rows: the GAN's score 0.700, the best yardstick is mixture (0.900), on one problem, which proves little"
    )


def test_the_ceiling_stands_first_and_is_no_rival() -> None:
    found = rows(mixture=shifted(-0.1), real=shifted(0.15), twin=shifted(-0.2))
    assert [each.name for each in found.others] == ["real", "mixture", "twin"]
    assert found.gan.name == "agent"
    assert found.n_problems == 4


def test_without_an_agent_tuned_constants_or_the_defaults_stand_for_the_gan() -> None:
    result = replace(beside(mixture=GAN), agent=None)
    assert result.rows is not None
    assert result.rows.gan.name == "defaults"


def test_problems_are_paired_whatever_order_they_were_played_in() -> None:
    result = beside(mixture=shifted(0.02, noise=0.0))
    turned = replace(result.beside[0], records=result.beside[0].records[::-1])
    found = replace(result, beside=(turned,)).rows
    assert found is not None
    assert found.best.gan is not None
    assert (found.best.gan.low, found.best.gan.high) == pytest.approx((-0.02, -0.02))


def test_only_who_was_measured_everywhere_stands_beside_all_studies() -> None:
    both = {"a": 10, "b": 10}

    def of_both(name: str) -> RivalResult:
        one = rival_result(name, GAN)
        more = {"details": {"a": "x", "b": "y"}, "preparations": {"a": 0, "b": 0}}
        return replace(one, records=one.records + records("b", name, [0.2] * 4), **more)

    result = replace(
        comparison({}),
        rivals=(of_both("agent"),),
        beside=(of_both("mixture"), rival_result("twin", GAN)),
        iterations=both,
        decisions=both,
    )
    assert result.rows is not None
    assert [each.name for each in result.rows.others] == ["mixture"]
    assert [each.name for each in result.rows_of_families["a"].others] == ["mixture", "twin"]
    assert result.rows_of_families["b"].gan.score.value == pytest.approx(0.2)
    assert set(result.to_dict()["rows_by_study"]) == {"a", "b"}


def test_terms_memorisation_and_cost_are_means() -> None:
    result = beside(mixture=GAN)
    [mixture] = result.beside
    told = [
        replace(
            record,
            cpu_seconds=float(place),
            marks={
                1: replace(record.marks[1], terms={"fidelity": place / 4}, memorised=None if place == 0 else place / 4)
            },
        )
        for place, record in enumerate(mixture.records)
    ]
    found = replace(result, beside=(replace(mixture, records=tuple(told)),)).rows
    assert found is not None
    assert found.best.terms == {"fidelity": pytest.approx(0.375)}
    assert found.best.memorised == pytest.approx(0.5)
    assert found.best.cpu_seconds == pytest.approx(1.5)


def test_results_from_before_have_no_yardsticks() -> None:
    old = comparison({"agent": GAN})
    assert old.rows is None
    assert old.to_dict()["rows"] is None
    assert "Yardsticks" not in report_html(old, "t", {}, [])


def test_everybody_is_in_every_table() -> None:
    result = beside(**{"mix|<b>ture": GAN, "real": shifted(0.1)})
    assert result.rows is not None
    page, text = report_html(result, "t", {}, []), rows_markdown(result.rows)
    assert "mix|&lt;b&gt;ture" in page
    assert "<td>real" in page
    assert "the GAN (agent)" in page
    assert page.count('class="conclusion"') == 1
    assert "| mix\\|<b>ture | 0.800 |" in text
    assert rows_table(result.rows).row_count == 3
