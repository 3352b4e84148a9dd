"""Optuna's loop, and its tree-structured Parzen estimators (Bergstra et al. 2011), with and without pruning."""

from collections.abc import Callable, Sequence
from typing import Any

from cluster.comparison.rivals.rival import Moment, Plan, Rival, Setting, Stretch, Values
from qsynth.errors import QsynthError
from qsynth.population.snapshot import Keep
from qsynth.space.search_space import Choice, Int, SearchSpace


def load_optuna() -> Any:
    """The library.

    Raises:
        QsynthError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise QsynthError("this rival needs Optuna; install it with: pip install 'qsynth[compare]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distributions(optuna: Any, space: SearchSpace) -> dict[str, Any]:
    made = {}
    for name, dimension in sorted(space.items()):
        match dimension:
            case Int():
                made[name] = optuna.distributions.IntDistribution(dimension.low, dimension.high)
            case Choice():
                made[name] = optuna.distributions.CategoricalDistribution(dimension.values)
            case _:
                made[name] = optuna.distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    return made


def planned(
    sampler: Callable[[Any, Setting], Any],
    pruner: Callable[[Any, Setting], Any] = lambda optuna, _: optuna.pruners.NopPruner(),
    defaults_first: bool = False,
) -> Callable[[Setting], Plan]:
    """One trial after another, by an Optuna sampler.

    Args:
        sampler, pruner: made of the library, for a problem.
        defaults_first: whether the first trial has the given values.
    """

    def plan(setting: Setting) -> Plan:
        optuna = load_optuna()
        study = optuna.create_study(
            direction="maximize",
            sampler=sampler(optuna, setting),
            pruner=pruner(optuna, setting),
            study_name=f"problem-{setting.problem}",
        )
        space = _distributions(optuna, setting.space)
        if defaults_first:
            study.enqueue_trial({name: setting.start[name] for name in space if name in setting.start})
        while setting.meter.left:
            trial = study.ask(space)

            scores: list[float] = []

            def steer(moment: Moment, trial: Any = trial, scores: list[float] = scores) -> Values | None:
                if not moment.decision:
                    return {}
                scores.append(moment.score)
                trial.report(_worth(scores, setting.keep), moment.decision)
                return None if trial.should_prune() else {}

            decisions = min(setting.n_decisions, setting.meter.left)
            values = {name: float(value) for name, value in trial.params.items()}
            [outcome] = yield [Stretch(trial=trial.number, decisions=decisions, values=values, steer=steer)]
            pruned = not outcome.failed and len(outcome.scores) - 1 < decisions
            if pruned:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(trial, _worth(outcome.scores[1:], setting.keep))

    return plan


def _worth(scores: Sequence[float], keep: Keep) -> float:
    """What a trial returns that had these scores after its decisions."""
    return max(scores) if keep == "best" else scores[-1]


def _tpe(optuna: Any, setting: Setting) -> Any:
    return optuna.samplers.TPESampler(seed=setting.seed % 2**32)


TPE = Rival(name="TPE", plan=planned(_tpe), detail="Optuna's TPESampler, whole runs")
TPE_MEDIAN = Rival(
    name="TPE, median pruning",
    plan=planned(_tpe, lambda optuna, _: optuna.pruners.MedianPruner()),
    detail="Optuna's TPESampler and MedianPruner; what pruning saves pays for more runs",
)
TPE_HYPERBAND = Rival(
    name="TPE, Hyperband pruning",
    plan=planned(_tpe, lambda optuna, setting: optuna.pruners.HyperbandPruner(1, setting.n_decisions, 3)),
    detail="Optuna's TPESampler and HyperbandPruner; what pruning saves pays for more runs",
)
