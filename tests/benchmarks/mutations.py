"""Which test dies when a rival, or what judges it, is made stupid.

    python -m tests.benchmarks.mutations --out tests/benchmarks/results/mutations.json

With ``--add`` only those are tried that the file lacks.

Each mutation is applied to a copy of the tree, in which its tests then run; one that they let live means that a test
is missing. All of them pass on the tree as it is, or there is no result.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import machine
from tests.benchmarks.report import table

ROOT = Path(__file__).parents[2]
PARTS = ("qsynth", "rl_envs", "cluster", "tests", "pyproject.toml")
COMPARISON, RIVALS = "cluster/comparison", "cluster/comparison/rivals"
TESTS = "tests/cluster/comparison"
YARDSTICKS, ROWS = "qsynth/yardsticks", ("tests/qsynth/yardsticks", "tests/contracts/test_yardsticks.py")


@dataclass(frozen=True)
class Mutation:
    """One change that makes something stupid.

    Attributes:
        about: what is stupid then.
        path: of the file, from the root.
        original: text that occurs once in it.
        mutated: what stands there instead.
        tests: what is run.
    """

    about: str
    path: str
    original: str
    mutated: str
    tests: tuple[str, ...]


def _of(name: str, *changes: tuple[str, str, str]) -> list[Mutation]:
    """Mutations of a rival, each what is stupid, the original and the mutated text."""
    return [Mutation(*_in(f"{RIVALS}/{name}.py", change), (f"{TESTS}/rivals/test_{name}.py",)) for change in changes]


def _in(path: str, change: tuple[str, str, str]) -> tuple[str, str, str, str]:
    about, original, mutated = change
    return about, path, original, mutated


MUTATIONS = [
    *_of(
        "random_search",
        (
            "random search tries the same values in every run",
            "random_point(setting.space, random))",
            "random_point(setting.space, np.random.default_rng(setting.seed)))",
        ),
    ),
    Mutation(
        "more runs are the same trials again",
        f"{RIVALS}/rival.py",
        "        number += n_runs\n",
        "",
        (f"{TESTS}/rivals/test_random_search.py",),
    ),
    *_of(
        "asha",
        ("ASHA promotes the worst", "key=lambda each: -each.score", "key=lambda each: each.score"),
        ("ASHA never promotes", "[: self.seen // ETA]", "[:0]"),
        ("ASHA promotes everybody", "[: self.seen // ETA]", "[: self.seen]"),
        ("ASHA begins promoted trials anew", "start=best.snapshot, keep=True", "keep=True"),
    ),
    *_of(
        "bandit",
        ("the bandit pulls the worst arm", "np.argmax(self._sums", "np.argmin(self._sums"),
        ("the bandit ignores rewards", "self._sums[arm] += gain", "self._sums[arm] += 0.0"),
        ("the bandit shuns what it knows little of", "self._counts + bonus", "self._counts - bonus"),
        ("the bandit never forgets", "DISCOUNT = 0.95", "DISCOUNT = 1.0"),
        (
            "the bandit takes losses for gains",
            "bandit.reward(arm, moment.score - before)",
            "bandit.reward(arm, before - moment.score)",
        ),
        (
            "the bandit credits the next arm",
            "                bandit.reward(arm, moment.score - before)\n            arm = bandit.pull()\n",
            "                arm = bandit.pull()\n                bandit.reward(arm, moment.score - before)\n"
            "            arm = bandit.pull()\n",
        ),
    ),
    *_of(
        "rules",
        ("rules speed up a critic that is ahead", "self._factor / FACTOR if", "self._factor * FACTOR if"),
        ("rules slow down a critic that is behind", "self._factor * FACTOR if gap <", "self._factor / FACTOR if gap <"),
        ("rules let rates rise", "math.cos(math.pi * done)", "-math.cos(math.pi * done)"),
        ("rules never stop a run", "self._since >= PATIENCE", "self._since < 0"),
        ("rules stop what gets better", "moment.score > self._best else", "moment.score < self._best else"),
    ),
    *_of(
        "pbt",
        ("PBT's best copy the worst", "each.score), reverse=True)", "each.score), reverse=False)"),
        (
            "PBT never perturbs",
            "return perturbed(self._space, source.values, random)",
            "return source.values",
        ),
        ("PBT never copies", "if first and (each.trial", "if not first and (each.trial"),
        ("PBT copies values without weights", "replace(source, trial=each.trial,", "replace(each,"),
        ("PBT always draws anew", "random.random() < RESAMPLED", "random.random() < 1.0"),
    ),
    *_of(
        "pb2",
        ("PB2 minimises its bound", "np.argmax(mean + weight * sd)", "np.argmin(mean + weight * sd)"),
        ("PB2 ignores the Gaussian process", "candidates[int(np.argmax(mean + weight * sd)), 2:]", "candidates[0, 2:]"),
        ("PB2 takes losses for gains", "member.score - member.before", "member.before - member.score"),
        ("PB2 learns scores, not gains", "member.score - member.before", "member.score"),
        ("PB2 tries the same in all copies", "self._running.append(best.tolist())", "pass"),
    ),
    *_of(
        "tpe",
        ("TPE minimises", 'direction="maximize"', 'direction="minimize"'),
        (
            "TPE hears no scores",
            "study.tell(trial, worth(outcome.scores[1:], setting.keep))",
            "study.tell(trial, 0.0)",
        ),
        ("pruners prune the best", "trial.report(worth(scores", "trial.report(-worth(scores"),
        (
            "pruners prune whom they should keep",
            "None if trial.should_prune() else {}",
            "{} if trial.should_prune() else None",
        ),
        ("pruners never prune", "None if trial.should_prune() else {}", "{}"),
    ),
    *_of(
        "optuna_samplers",
        (
            "CMA-ES draws at random",
            "optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)",
            "optuna.samplers.RandomSampler(seed=seed)",
        ),
        (
            "the Gaussian process begins elsewhere",
            "planned(_gaussian_process, defaults_first=True)",
            "planned(_gaussian_process)",
        ),
    ),
    *_of("ppo", ("PPO's reward is negated", "return reward(effect)", "return -reward(effect)")),
    Mutation(
        "PPO never learns",
        f"{RIVALS}/policy_learner.py",
        "self._learner.update(episodes=episodes, num_epochs=self._epochs)",
        "pass",
        (f"{TESTS}/rivals/test_ppo.py",),
    ),
    *_of(
        "agent_run",
        (
            "the agent's decisions are dropped",
            "return {name: float(value[0]) for name, value in changes.items()}",
            "return {}",
        ),
        ("all trials share one agent", "copy.deepcopy(agent)", "agent"),
    ),
    *_of(
        "retrained",
        ("the retrained use the defaults", "setting.start, steer=steer)", "setting.start)"),
        ("the retrained begin with the winner's networks", "[Stretch(trial=TRIAL,", "[Stretch(trial=0,"),
    ),
    *_of(
        "ablation",
        ("the blind agent sees", "np.zeros_like(observation), values", "observation, values"),
        ("the deceived agent sees its own problem", "numbers[1:] + numbers[:1]", "numbers"),
        ("the constant action goes backwards", "unit + self._drift[name]", "unit - self._drift[name]"),
    ),
    *_of(
        "mean_schedule",
        ("the mean schedule has seen the problem's own course", "if number != setting.problem]", "]"),
        ("the mean schedule is its first decision's", "self._at(round(progress * self._n_decisions), ", "self._at(0, "),
        ("the mean schedule forgets trials that ended early", "[values[-1]] *", "[0.0] *"),
    ),
    *(
        Mutation(*_in("rl_envs/schedule_search.py", change), ("tests/rl_envs/test_schedule_search.py",))
        for change in (
            ("the schedule search keeps the worst quarter", "np.argsort(-totals[alive]", "np.argsort(totals[alive]"),
            ("the schedule search returns the worst", "np.argmax(totals[alive])", "np.argmin(totals[alive])"),
        )
    ),
    *(
        Mutation(*_in(f"{COMPARISON}/rival_run.py", change), (f"{TESTS}/test_rival_run.py",))
        for change in (
            ("the worst moment is returned", "score > self._incumbent.score)", "score < self._incumbent.score)"),
            ("the last moment is returned", "score > self._incumbent.score)", "True)"),
            (
                "what a larger budget found is returned for a smaller one",
                " for mark in self.job.marks if decisions <= mark * self._run}",
                " for mark in self.job.marks}",
            ),
        )
    ),
    *(
        Mutation(*_in(f"{COMPARISON}/summary.py", change), (f"{TESTS}/test_study_comparison.py::test_standings",))
        for change in (
            ("the last rival is named first", "key=lambda each: -each.test", "key=lambda each: each.test"),
            (
                "the agent's lead is its rival's",
                "probability_of_improvement(mine, scores)",
                "probability_of_improvement(scores, mine)",
            ),
        )
    ),
    *(
        Mutation(*_in(f"{COMPARISON}/statistics.py", change), (f"{TESTS}/test_statistics.py",))
        for change in (
            ("the probability of improvement is that of decline", "np.sign(x - y)", "np.sign(y - x)"),
            ("ties count as improvement", "(np.sign(x - y) + 1) / 2", "np.float64(x >= y)"),
        )
    ),
    *(
        Mutation(*_in(f"{YARDSTICKS}/{name}.py", change), ROWS)
        for name, change in (
            ("yardstick", ("labels are ignored", "self.laws[label].sample", "self.laws[0].sample")),
            ("yardstick", ("rows are of any class", "split.x[mine] if mine.any() else split.x", "split.x")),
            ("yardstick", ("classes share a mean", "centred = x - means[y]", "centred = x - x.mean(axis=0)")),
            ("gaussians", ("a mixture has its first mean", "self.means[chosen] +", "self.means[0 * chosen] +")),
            ("gaussians", ("modes are equally likely", "size=n, p=self.weights)", "size=n)")),
            ("gaussians", ("columns are independent", "nij,nj->ni", "nii,ni->ni")),
            ("gaussian_mixture", ("the criterion chooses the worst", "best = min(fitted", "best = max(fitted")),
            ("gaussian_mixture", ("a mixture has one component", "MOST_COMPONENTS = 4", "MOST_COMPONENTS = 1")),
            ("kernel_density", ("the bandwidth is three times too wide", "n ** (-1", "3 * n ** (-1")),
            ("kernel_density", ("the kernels are round", "np.cov(rows.T).reshape(d, d)", "rows.var() * np.eye(d)")),
            ("tied_gaussian", ("the tied have one mean", "keepdims=True)", "keepdims=True) * 0")),
            ("jittered", ("the jitter is chosen at worst", "min(WIDTHS, key=missed)", "max(WIDTHS, key=missed)")),
            ("jittered", ("there is no jitter", "min(WIDTHS, key=missed)", "WIDTHS[0]")),
            ("jittered", ("the distance forgets the class", "x[labels == label],", "x,")),
            ("jittered", ("the distance rewards collapse", "mean()) - within)", "mean()))")),
            ("smote", ("SMOTE's neighbours are the farthest", "NEIGHBOURS = 5", "NEIGHBOURS = 50")),
            ("smote", ("SMOTE has one neighbour", "NEIGHBOURS = 5", "NEIGHBOURS = 1")),
            ("smote", ("SMOTE is duplication", "random.uniform(size=(n, 1))", "0")),
            (
                "duplication",
                ("the duplicates are others' rows", "(instance.train, label)", "(instance.reserve, label)"),
            ),
            (
                "real_sample",
                ("the second real sample is the first", "part = instance.reserve if", "part = instance.train if"),
            ),
            ("dealt", ("rows are dealt with replacement", "random.permutation(", "random.choice(len(self.rows), ")),
        )
    ),
    *(
        Mutation(*_in(f"{COMPARISON}/rows_summary.py", change), (f"{TESTS}/test_rows_summary.py",))
        for change in (
            ("the conclusion is turned round", "if lead.low > 0:", "if lead.high < 0:"),
            ("what noise could do is a lead", "if lead.low > 0:", "if lead.value > 0:"),
            ("the worst yardstick is the bar", "(not each.ceiling, -each.score", "(not each.ceiling, each.score"),
            ("the ceiling is the bar", "for each in self.others if not each.ceiling)", "for each in self.others)"),
            ("problems are paired as they come", "key=lambda each: each.problem)", "key=lambda each: 0)"),
        )
    ),
    *(
        Mutation(*_in(f"{COMPARISON}/{name}.py", change), (f"{TESTS}/test_exam.py",))
        for name, change in (
            ("exam", ("yardsticks draw with one seed", "numpy(), seed))", "numpy(), 0))")),
            (
                "exam",
                (
                    "GANs are measured with their own noise",
                    "population.labels[lane], seed)",
                    "population.labels[lane], 0)",
                ),
            ),
            (
                "exam",
                (
                    "yardsticks are asked for one class",
                    "population.labels[lane].argmax(dim=1)",
                    "(0 * population.labels[lane].argmax(dim=1))",
                ),
            ),
            (
                "exam",
                (
                    "the second real sample is compared with itself",
                    "held_out = np.concatenate([instance.validation.x, instance.test.x])",
                    "held_out = instance.reserve.x",
                ),
            ),
            (
                "lane_scheduler",
                (
                    "yardsticks learn another instance",
                    "yardstick.fit(rival_run.instance,",
                    "yardstick.fit(self._data.instance(7, held_out=False),",
                ),
            ),
        )
    ),
    Mutation(
        "the twin is the last of its decisions",
        "rl_envs/classical_twin.py",
        'keep="best")',
        'keep="last")',
        ("tests/rl_envs/test_classical_twin.py",),
    ),
    Mutation(
        "the twin has the circuit",
        "rl_envs/classical_twin.py",
        'generator={"kind": "classical"}, ',
        "",
        ("tests/rl_envs/test_classical_twin.py",),
    ),
    *(
        Mutation(*_in("qsynth/metrics/memorisation.py", change), ("tests/qsynth/metrics/test_memorisation.py",))
        for change in (
            ("copies are nearest to others' rows", "np.sign(far - near)", "np.sign(near - far)"),
            ("the larger sample is the nearer", "sample[:size]", "sample"),
        )
    ),
    *(
        Mutation(*_in(f"qsynth/tables/{name}.py", change), (f"tests/qsynth/tables/{tests}",))
        for name, tests, change in (
            ("schema", "test_round_trip.py", ("columns come back in another order", "in made]", "in made[::-1]]")),
            (
                "ids",
                "test_inference.py",
                ("ids begin where the table's began", "first = self.high + 1", "first = self.low"),
            ),
            (
                "quantities",
                "test_inference.py",
                (
                    "whole numbers leave their steps",
                    "self.low + self.step * np.minimum(steps, (self.high - self.low) // self.step)",
                    "np.rint(np.clip(numbers, self.low, self.high))",
                ),
            ),
        )
    ),
    *(
        Mutation(*_in(f"qsynth/synthesis/{name}.py", change), (f"tests/qsynth/synthesis/{tests}.py",))
        for name, tests, change in (
            (
                "scores",
                "test_scores",
                (
                    "what makes scores is not calibrated",
                    "ndtr(np.interp(scores[mine, index], quantiles, grid))",
                    "ndtr(scores[mine, index])",
                ),
            ),
            (
                "scores",
                "test_scores",
                (
                    "columns' distributions are blind to the class",
                    "own = values[classes == label]",
                    "own = values",
                ),
            ),
            (
                "scores",
                "test_scores",
                ("gaps are filled", "values[:, self.n_columns :] > 0.5", "values[:, self.n_columns :] > 1.5"),
            ),
            ("latent", "test_scores", ("the residual is left out", "left_over = random", "left_over = 0 * random")),
            (
                "table_fit",
                "test_table_fit",
                (
                    "rows kept back are learned from",
                    "return np.setdiff1d(np.arange(len(labels)), chosen), chosen",
                    "return np.arange(len(labels)), chosen",
                ),
            ),
            (
                "table_fit",
                "test_table_fit",
                (
                    "columns' distributions have seen the rows kept back",
                    "columns = whole.of_rows(numbers[train_rows], labels[train_rows])",
                    "columns = whole",
                ),
            ),
            (
                "reconstruction",
                "test_reconstruction",
                ("rows that went through factors meet themselves", "chosen[::2], chosen[1::2]", "chosen, chosen"),
            ),
        )
    ),
    *(
        Mutation(*_in(f"qsynth/quality/{name}.py", change), (f"tests/qsynth/quality/{tests}",))
        for name, tests, change in (
            (
                "tstr",
                "test_quality_report.py::test_a_second_real_sample_is_like_real_rows_in_every_number",
                (
                    "TSTR learns from shuffled labels",
                    "_classifier(model, seed).fit(x, y)",
                    "_classifier(model, seed).fit(x, y[::-1])",
                ),
            ),
            (
                "c2st",
                "test_quality_report.py::test_a_second_real_sample_is_like_real_rows_in_every_number",
                ("C2ST is without cross-validation", "model.fit(x[fit], y[fit])", "model.fit(x, y)"),
            ),
            (
                "associations",
                "test_exact_numbers.py",
                (
                    "Cramér's V is its square",
                    "np.sqrt(min(float(squared.sum()) / rank, 1.0))",
                    "min(float(squared.sum()) / rank, 1.0)",
                ),
            ),
            (
                "coverage",
                "test_exact_numbers.py",
                ("recall is of real rows' balls", "around_rows[None, :]", "around_real[:, None]"),
            ),
            ("privacy", "test_exact_numbers.py", ("memory is of unseen rows", "mean(near < far)", "mean(far < near)")),
            (
                "samples",
                "test_exact_numbers.py",
                ("real rows stand in for themselves", "mixed.iloc[half:])", "mixed.iloc[:half])"),
            ),
            ("estimate", "test_estimate.py", ("areas' intervals are of one fold", "/ len(areas)\n", "\n")),
            (
                "estimate",
                "test_estimate.py",
                (
                    "intervals are half as wide",
                    "value - Z * error), min(high, value + Z * error)",
                    "value - error), min(high, value + error)",
                ),
            ),
        )
    ),
]


def run(tree: Path, tests: tuple[str, ...]) -> list[str]:
    """Names of the tests that die in a tree.

    Raises:
        RuntimeError: they could not be run.
    """
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rf", "-p", "no:cacheprovider", *tests]
    # Bytecode is told apart by time and size, which mutations may share.
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "1000"}
    outcome = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if outcome.returncode not in (0, 1):
        raise RuntimeError(outcome.stdout + outcome.stderr)
    return re.findall(r"^FAILED \S*?([^/\s]+::.+?)(?: - .*)?$", outcome.stdout, re.MULTILINE)


def measure(tree: Path, mutation: Mutation) -> list[str]:
    """Names of the tests that die of a mutation."""
    path = tree / mutation.path
    before = path.read_text(encoding="utf-8")
    if before.count(mutation.original) != 1:
        raise ValueError(f"{mutation.about}: its original must occur once in {mutation.path}")
    path.write_text(before.replace(mutation.original, mutation.mutated), encoding="utf-8")
    try:
        return run(tree, mutation.tests)
    finally:
        path.write_text(before, encoding="utf-8")


def markdown(rows: list[dict[str, Any]]) -> str:
    """Mutation, file, and the tests that die of it."""
    lines = []
    for row in rows:
        first, *others = row["dies"] or ["nobody"]
        more = f" and {len(others)} more" if others else ""
        lines.append([row["about"], f"`{row['path']}`", f"`{first.replace('|', '/')}`{more}"])
    return table(["mutation", "file", "test that dies"], lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--add", action="store_true", help="keep what the file has")
    asked = parser.parse_args()
    known = json.loads(asked.out.read_text())["rows"] if asked.add else []
    kept = {row["about"]: row for row in known}

    def tried(mutation: Mutation) -> bool:
        row = kept.get(mutation.about, {})
        return all(row.get(name) == value for name, value in json.loads(json.dumps(asdict(mutation))).items())

    wanted = [mutation for mutation in MUTATIONS if not tried(mutation)]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, tree / part)
        began = time.perf_counter()
        everything = tuple(dict.fromkeys(test for mutation in wanted for test in mutation.tests))
        if died := run(tree, everything):
            raise RuntimeError(f"without a mutation all must pass; got {died}")
        seconds = time.perf_counter() - began
        for mutation in MUTATIONS:
            if mutation not in wanted:
                rows.append(kept[mutation.about])
                continue
            dies = measure(tree, mutation)
            rows.append(asdict(mutation) | {"dies": dies})
            print(f"{mutation.about}: {', '.join(dies) or 'LIVES'}", flush=True)
    machine.write(asked.out, {"benchmark": "mutations", "seconds_unmutated": round(seconds, 1), "rows": rows})
    asked.out.with_suffix(".md").write_text(markdown(rows) + "\n")
    if any(not row["dies"] for row in rows):
        sys.exit("a mutation lives: a test is missing")


if __name__ == "__main__":
    main()
