"""Components of users' own packages are taken by name wherever qsynth's are."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cluster.comparison.rivals.registry import RIVALS
from cluster.study.study import load_study
from qsynth import ANSAETZE, METRICS, SOURCES, TABLES, PluginError, QGANSynthesizer, StudyError, TrialConfig
from qsynth.circuits.encoder import ENCODERS
from qsynth.config import parse
from qsynth.plugins import PluginLoader, installed_plugins
from qsynth.population.population import Population
from qsynth.registry import Registry
from qsynth.yardsticks.registry import YARDSTICKS
from rl_envs.reward import REWARDS
from tests.cluster.cli.test_app import call, refused
from tests.cluster.conftest import TINY
from tests.plugin_package import ANSATZ, install

REGISTRIES: tuple[Registry[Any], ...] = (ANSAETZE, ENCODERS, METRICS, SOURCES, TABLES, REWARDS, RIVALS, YARDSTICKS)
Install = Callable[..., None]

METRIC = """
import torch
from qsynth import METRICS, Metric


@METRICS.register("middle")
class Middle(Metric):
    name, floor = "middle", 0.01

    @classmethod
    def of(cls, setting):
        return cls()

    def prepare(self, instance, part):
        return {"middle": torch.as_tensor(part.x).mean(dim=0)}

    def measure(self, prepared, x, onehot):
        return {self.name: (x.mean(dim=1) - prepared["middle"]).abs().mean(dim=1)}
"""
SOURCE = """
from typing import Literal
import numpy as np
from qsynth import SOURCES, DataSource, Instance, Scaling, Split


@SOURCES.register("steps")
class Steps(DataSource):
    kind: Literal["steps"] = "steps"
    n_rows: int = 64

    @property
    def title(self):
        return self.kind

    @property
    def width(self):
        return 1

    def instance(self, seed, held_out):
        def part(use):
            random = np.random.default_rng([seed, held_out, use])
            x = random.choice([-0.5, 0.5], (self.n_rows, 1)).astype(np.float32)
            return Split(x, np.zeros(self.n_rows, dtype=np.int64))

        return Instance(
            key=f"steps#{seed}", train=part(0), reserve=part(1), validation=part(2), test=part(3),
            class_names=("all",), feature_names=("value",), scaling=Scaling.identity(1),
        )
"""
REWARD = """
from typing import Literal
from rl_envs.reward import REWARDS, Reward


@REWARDS.register("flat")
class Flat(Reward):
    kind: Literal["flat"] = "flat"
    height: float = 1.0

    def __call__(self, outcome):
        return 0 * outcome.after + self.height
"""
RIVAL = """
from cluster.comparison.rivals.registry import RIVALS
from cluster.comparison.rivals.rival import Rival, Stretch, restarts


def plan(setting):
    return restarts(setting, lambda trial: Stretch(trial=trial, decisions=setting.n_decisions))


RIVALS.register("idle")(Rival(name="idle", plan=plan, detail="does nothing"))
"""


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Install]:
    """Installs a plugin as far as this process is concerned."""
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_members", dict(registry._members))
    before = set(sys.modules)
    monkeypatch.setattr("qsynth.plugins._loader", PluginLoader())

    def put(code: str, name: str = "qsynth_mine", entry: str | None = None) -> None:
        install(tmp_path, name, code, entry)
        monkeypatch.syspath_prepend(tmp_path)

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("qsynth_mine"):
            del sys.modules[name]


def study(folder: Path, **changes: Any) -> Path:
    """A tiny study's file with top-level settings replaced."""
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump({**TINY, **changes}))
    return path


def test_an_ansatz(plugin: Install, tmp_path: Path) -> None:
    plugin(ANSATZ)
    made = load_study(str(study(tmp_path, trial={**TINY["trial"], "ansatz": "mine"})))
    assert made.trial.circuit().n_layer_weights == 3
    assert made.trial.replaced(encoder="angle_y", qnn={"ansatz": "mine"}).qnn.ansatz == "mine"


def test_a_metric_and_its_weight(plugin: Install, tmp_path: Path) -> None:
    plugin(METRIC)
    trial = {**TINY["trial"], "score": {"fidelity": 1, "diversity": 0, "balance": 0, "utility": 0, "middle": 3}}
    made = load_study(str(study(tmp_path, trial=trial)))
    assert made.trial.score.weights["middle"] == 3
    assert made.replaced(seed=1).trial == made.trial
    synthesizer = QGANSynthesizer(made.trial, n_iterations=2, evaluate_every=1).fit(made.data)
    assert {"utility.fidelity", "utility.middle"} <= set(synthesizer.history[-1])
    with pytest.raises(StudyError, match=r"unknown key 'score\.midle'\. Did you mean 'middle'\?"):
        TrialConfig(n_qubits=2, score={"midle": 1})
    with pytest.raises(StudyError, match=r"score\.middle: input should be greater than or equal to 0; got -1"):
        TrialConfig(n_qubits=2, score={"middle": -1})


def test_without_the_plugin_its_metric_is_unknown() -> None:
    with pytest.raises(StudyError, match=r"unknown key .score\.middle.\. Known: balance, diversity, fidelity, kind"):
        TrialConfig(n_qubits=2, score={"middle": 1})


def test_a_data_source(plugin: Install, tmp_path: Path) -> None:
    plugin(SOURCE)
    score = {**TINY["trial"]["score"], "balance": 0, "utility": 0}
    path = study(tmp_path, data={"kind": "steps", "n_rows": 32}, trial={**TINY["trial"], "score": score})
    made = load_study(str(path))
    made.check()
    assert made.data.title == "steps"
    assert made.model_dump(mode="json")["data"] == {"kind": "steps", "n_rows": 32}
    rows = QGANSynthesizer(made.trial, n_iterations=1).fit(made.data).sample(8)
    assert list(rows) == ["value", "label"]
    with pytest.raises(StudyError, match=r"unknown key 'data\.n_row'\. Did you mean 'n_rows'\?"):
        load_study(str(study(tmp_path, data={"kind": "steps", "n_row": 32})))
    with pytest.raises(
        StudyError, match=r"data\.kind: data source must be a registered one; got 'step'\. Did .* 'steps'"
    ):
        load_study(str(study(tmp_path, data={"kind": "step"})))


def test_a_reward(plugin: Install, tmp_path: Path) -> None:
    plugin(REWARD)
    made = load_study(str(study(tmp_path, episode={"reward": {"kind": "flat", "height": 2}})))
    assert made.model_dump(mode="json")["episode"]["reward"] == {"kind": "flat", "height": 2.0}
    assert made.episode.reward.model_dump() == {"kind": "flat", "height": 2.0}


def test_a_rival(
    plugin: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from cluster.cli.compare import _rivals

    plugin(RIVAL)
    assert _rivals("idle,random", [], has_agent=False) == ("random", "idle")
    assert "idle" in _rivals("all", [], has_agent=False)
    command = ("compare", study(tmp_path), "--rivals", "idel", "--out", tmp_path / "out")
    assert "got 'idel'. Did you mean 'idle'?" in refused(monkeypatch, capsys, *command)


def test_doctor_lists_plugins(
    plugin: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(ANSATZ)
    plugin("import no_such_module", "qsynth_mine_too")
    assert call(monkeypatch, "doctor", "--json") == 0
    found = json.loads(capsys.readouterr().out)["plugins"]
    assert found["qsynth_mine"] == "qsynth_mine 1.0"
    assert "1.0, which can't be loaded: ModuleNotFoundError: No module named" in found["qsynth_mine_too"]


def test_a_table_by_a_function(plugin: Install) -> None:
    code = """
from qsynth import TABLES
def enter():
    TABLES.register("wine2")(lambda: TABLES["wine"]())
"""
    plugin(code, entry="qsynth_mine:enter")
    assert TABLES["wine2"]().class_names == TABLES["wine"]().class_names


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemError('two\\nlines')", "SystemError: two lines"),
        (
            "from qsynth import ANSAETZE\nANSAETZE.register('style')(ANSAETZE['style'])",
            "ansatz 'style' is registered already",
        ),
        (
            "from qsynth import METRICS\n@METRICS.register('one')\nclass Other:\n    name = 'other'",
            "metric 'one' must be registered under its own name; got 'other'",
        ),
        (
            "from qsynth import SOURCES, TableData\nSOURCES.register('tables')(TableData)",
            "data source 'tables' must be registered under its own name; got 'table'",
        ),
    ],
)
def test_a_plugin_that_is_broken_is_named_and_harms_nobody_who_needs_none(
    plugin: Install, code: str, reason: str
) -> None:
    plugin(code)
    assert TrialConfig(n_qubits=2, ansatz="style").ansatz == "style"
    for _ in range(2):  # the second time for the same reason as the first
        with pytest.raises(PluginError) as caught:
            TrialConfig(n_qubits=2, ansatz="mine")
        assert str(caught.value) == (
            f"TrialConfig: (top level): plugin 'qsynth_mine' of qsynth_mine 1.0 can't be loaded: {reason}. "
            "To get rid of it: pip uninstall qsynth_mine"
        ).replace("(top level): ", "")
    [found] = installed_plugins()
    assert (found.name, found.package, found.version, found.fault) == ("qsynth_mine", "qsynth_mine", "1.0", reason)


def test_a_plugin_may_look_up_what_is_not_there_while_it_is_loaded(plugin: Install) -> None:
    plugin(f"from qsynth import TABLES\nassert 'wine2' not in TABLES\nassert 'wine' in list(TABLES)\n{ANSATZ}")
    assert "mine" in ANSAETZE


def test_who_looks_up_during_the_loading_waits_for_it(plugin: Install) -> None:
    plugin(f"import time\ntime.sleep(0.3)\n{ANSATZ}")
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append("mine" in ANSAETZE)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_two_versions_of_an_ansatz_share_no_machine_code(plugin: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(ANSATZ)
    keys = []
    for sign in (1, -1, 1):
        old = ANSAETZE["mine"]

        def layer(index: int, inputs: Any, weights: Any, n_qubits: int, sign: int = sign, old: Any = old.layer) -> None:
            old(index, inputs, sign * weights, n_qubits)

        monkeypatch.setitem(ANSAETZE._members, "mine", replace(old, layer=layer))
        config = parse(TrialConfig, {**TINY["trial"], "ansatz": "mine", "qnn": {"ansatz": "mine"}}, source="trial")
        population = Population(config, 2, 3, 1)
        [qnn] = [metric.qnn for metric in population._measures.scorer.metrics if metric.name == "utility"]  # type: ignore[attr-defined]
        keys.append((population.compiler.recipe, qnn.model.circuit.fingerprint))
        monkeypatch.setitem(ANSAETZE._members, "mine", old)
    assert keys[0] == keys[2]
    assert all(np.array(keys[0]) != np.array(keys[1]))
