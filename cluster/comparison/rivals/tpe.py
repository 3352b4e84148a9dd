"""Optuna's loop, and its tree-structured Parzen estimators (Bergstra et al. 2011), with and without pruning."""

from collections.abc import Callable
from typing import Any

from cluster.comparison.rivals.rival import Moment, Plan, Rival, Setting, Stretch, Values, worth
from cluster.results.optuna_studies import distributions, load_optuna


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
        space = distributions(setting.space)
        if defaults_first:
            study.enqueue_trial({name: setting.start[name] for name in space if name in setting.start})
        while setting.meter.left:
            trial = study.ask(space)

            scores: list[float] = []

            def steer(moment: Moment, trial: Any = trial, scores: list[float] = scores) -> Values | None:
                if not moment.decision:
                    return {}
                scores.append(moment.score)
                trial.report(worth(scores, setting.keep), moment.decision)
                return None if trial.should_prune() else {}

            decisions = min(setting.n_decisions, setting.meter.left)
            values = {name: float(value) for name, value in trial.params.items()}
            [outcome] = yield [Stretch(trial=trial.number, decisions=decisions, values=values, steer=steer)]
            pruned = not outcome.failed and len(outcome.scores) - 1 < decisions
            if pruned:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(trial, worth(outcome.scores[1:], setting.keep))

    return plan


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
