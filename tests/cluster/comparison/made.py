"""Results of comparisons, made up."""

from collections.abc import Mapping, Sequence

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job_result import BudgetResult, JobResult
from cluster.comparison.rival_result import RivalResult

SPENT = {"iterations": 10, "circuits": 1, "shots": 0, "trials": 1, "failed": 0}


def records(
    study: str, rival: str, tests: Sequence[float], *, runs: int = 1, curve: float = 0.5
) -> tuple[JobResult, ...]:
    """A record for each problem.

    Args:
        tests: test score on each.
        curve: the validation score that it ends with.
    """
    return tuple(
        JobResult(
            key=f"{rival}{number}",
            study=study,
            rival=rival,
            problem=number,
            runs=runs,
            curve=((5, curve / 2), (10 * runs, curve)),
            marks={runs: BudgetResult(validation=curve, test=test)},
            spent=SPENT,
        )
        for number, test in enumerate(tests)
    )


def rival_result(
    name: str, tests: Sequence[float], prepared: int = 0, *, runs: int = 1, curve: float = 0.5
) -> RivalResult:
    """A rival's results on a study called "a"."""
    return RivalResult(
        name=name,
        details={"a": f"what {name} is"},
        preparations={"a": prepared},
        shared=name == "agent",
        records=records("a", name, tests, runs=runs, curve=curve),
    )


def comparison(tests: Mapping[str, Sequence[float]]) -> ComparisonResult:
    """Rivals with one run each on the problems of a study called "a".

    Args:
        tests: rival -> test score on each problem.
    """
    return ComparisonResult(
        rivals=tuple(rival_result(name, scores) for name, scores in tests.items()),
        retrained=(),
        agent="agent",
        budgets=(1,),
        iterations={"a": 10},
        decisions={"a": 2},
    )
