"""A study's search in the terms of Ray Tune: its searcher, its scheduler, and how many candidates there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ray import tune

from cluster.ray_tune.searched import SearchedTrial
from cluster.ray_tune.space import bounds, defaults, mutations, param_space
from cluster.results.optuna_studies import distributions, load_optuna
from cluster.study.search import MUTATING, PAUSING, STOPPING, Search
from cluster.study.study import Study

PERTURBATIONS = 5  # of a trial, by PBT and PB2
ETA = 4  # a rung's best quarter goes on
STARTUP = 10  # random candidates before a searcher's model, at most; Optuna's own number for TPE
PART_OF_STARTUP = 4  # ... and at most this part of all candidates


@dataclass(frozen=True)
class SearchPlan:
    """A search within the budget of an agent's training.

    Attributes:
        study: has a ``search``.
        seed: of what is drawn.
    """

    study: Study
    search: Search
    seed: int

    @property
    def metric(self) -> str:
        """What candidates are compared by: where copies go on, the present score; else the best of any decision."""
        return "score" if self.search.scheduler in MUTATING else "score_best"

    @property
    def n_whole(self) -> int:
        """Candidates that the budget pays for, if none ends before its time."""
        return max(1, self.study.budget.agent_trials // self.search.lanes_per_trial)

    @property
    def decisions(self) -> int:
        """The budget in decisions of all candidates."""
        return self.n_whole * self.study.episode.n_decisions

    def space(self) -> dict[str, Any]:
        """What the Tuner draws from; Optuna's searchers draw themselves."""
        return param_space(self.study) if self.search.searcher == "random" else {}

    def tune_config(self, finished: Sequence[SearchedTrial], most: int) -> tune.TuneConfig:
        """How Tune is to go about what is left.

        Args:
            finished: candidates of earlier attempts, which searchers learn from.
            most: candidates at a time; those who pause theirs have all of them begun, and Ray's CPUs set the pace.
        """
        pausing = self.search.scheduler in PAUSING
        stopping = self.search.scheduler in STOPPING  # then the budget ends it before
        n_samples = self.n_whole * ETA if stopping else max(1, self.n_whole - len(finished))
        return tune.TuneConfig(
            metric=self.metric,
            mode="max",
            num_samples=n_samples,
            max_concurrent_trials=None if pausing else most,
            reuse_actors=True,
            scheduler=self._scheduler(),
            search_alg=self._searcher(finished),
        )

    def _scheduler(self) -> Any:
        n = self.study.episode.n_decisions
        schedulers, every = tune.schedulers, max(1, n // PERTURBATIONS)
        match self.search.scheduler:
            case "asha":
                return schedulers.ASHAScheduler(
                    time_attr="decision", max_t=n, grace_period=max(1, n // ETA**2), reduction_factor=ETA
                )
            case "hyperband":
                return schedulers.HyperBandScheduler(time_attr="decision", max_t=n, reduction_factor=ETA)
            case "median":
                return schedulers.MedianStoppingRule(time_attr="decision", grace_period=max(1, n // ETA))
            case "pbt":
                return schedulers.PopulationBasedTraining(
                    time_attr="decision", perturbation_interval=every, hyperparam_mutations=mutations(self.study)
                )
            case "pb2":
                from ray.tune.schedulers.pb2 import PB2

                return PB2(time_attr="decision", perturbation_interval=every, hyperparam_bounds=bounds(self.study))
            case _:
                return None

    def _searcher(self, finished: Sequence[SearchedTrial]) -> Any:
        """The defaults come first."""
        first = [] if finished else [defaults(self.study)]
        if self.search.searcher == "random":
            return tune.search.BasicVariantGenerator(points_to_evaluate=first, random_state=self.seed)
        from ray.tune.search.optuna import OptunaSearch

        optuna = load_optuna()
        startup = min(STARTUP, max(1, self.n_whole // PART_OF_STARTUP))
        made: Any
        match self.search.searcher:
            case "tpe":
                made = optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=startup)
            case "gp":
                made = optuna.samplers.GPSampler(seed=self.seed, n_startup_trials=startup)
            case _:
                made = optuna.samplers.CmaEsSampler(seed=self.seed, n_startup_trials=1, warn_independent_sampling=False)
        return OptunaSearch(
            space=distributions(self.study.trial.search_space),
            metric=self.metric,
            mode="max",
            sampler=made,
            points_to_evaluate=[dict(each.start) for each in finished] or first,
            evaluated_rewards=[each.score for each in finished] or None,
        )
