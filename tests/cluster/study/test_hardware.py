"""The stage on hardware: what it may be, what it costs, and that a study reaches it."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from cluster.machines.session import plan_runners
from cluster.results.device_result import DeviceResult
from cluster.study.hardware import Price, qpus
from cluster.study.study import Study
from qsynth.circuits.device import has_device
from qsynth.circuits.spend import Spend
from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.population.population import Population

HARDWARE: dict[str, Any] = {
    "engine": {"name": "default.mixed", "shots": 50, "noise": {"one_qubit": 0.01, "two_qubit": 0.03}},
    "shot_budget": 100_000,
    "n_decisions": 2,
    "iterations_per_decision": 1,
    "batch_size": 4,
    "n_rows": 32,
}


def study(tiny: dict[str, Any], **hardware: Any) -> Study:
    return parse(Study, {**tiny, "hardware": {**HARDWARE, **hardware}}, source="test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": {"name": "default.mixed"}}, r"hardware\.engine\.shots must be given"),
        ({"hyperparameters": {"n_layers": 1}}, r"hardware\.hyperparameters must be among .*; got 'n_layers'"),
        ({"hyperparameters": {"lr": 1}}, "got 'lr'"),
        ({"hyperparameters": {"shots": 5}}, "got 'shots'"),
        ({"price": {"currency": "dollars"}}, r"hardware\.price\.currency"),
        ({"shot_budget": 0}, r"hardware\.shot_budget"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_study_is_read(
    tiny: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(QsynthError, match=message):
        study(tiny, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shot_budget": 1000}, r"hardware\.shot_budget must be at least [0-9,]+, for one iteration .* got 1,000"),
        ({"engine": {"name": "default.mxd", "shots": 5}}, r"Did you mean 'default\.mixed'\?"),
        ({"engine": {"name": "default.qubit", "shots": 5, "differentiation": "adjoint"}}, "differentiation must be"),
        ({"hyperparameters": {"lr_generator": 7}}, "lr_generator"),
    ],
)
def test_what_can_not_be_done_is_refused_before_any_work(
    tiny: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(QsynthError, match=message):
        study(tiny, **change).check()


def test_the_estimate_counts_every_circuit(tiny: dict[str, Any]) -> None:
    """3 qubits, 1 layer of ry_rx_cnot: 3 + 6 angles, two circuits each; 2 batches of 4 values, 4 gradients."""
    made = study(tiny, price={"per_circuit": 0.5, "per_shot": 0.01})
    assert made.hardware is not None
    whole, least = made.hardware.estimate(made.trial)
    iteration = 2 * 4 + 4 * 2 * 9
    measured = 2 * 32  # the validation rows, and the test rows
    assert whole == Spend(3 * measured + 2 * iteration, 50 * (3 * measured + 2 * iteration))
    assert least == Spend(2 * measured + iteration, 50 * (2 * measured + iteration))
    words = made.hardware.check(made.trial)
    assert words == "default.mixed: about 352 circuits, 17,600 shots, 352.00 USD"
    short = study(tiny, shot_budget=11_000)
    assert short.hardware is not None
    assert short.hardware.check(short.trial).endswith("of which the budget covers 11,000 shots")


@pytest.mark.parametrize(
    ("generator", "refused"),
    [
        ({"kind": "classical"}, True),
        ({"kind": "vae"}, True),
        ({"kind": "born"}, True),
        ({"kind": "quantum", "patches": 2}, False),
    ],
)
def test_a_device_needs_a_generator_whose_rows_are_a_circuits_outputs(
    tiny: dict[str, Any], generator: dict[str, Any], refused: bool
) -> None:
    tiny["trial"]["generator"] = generator
    made = study(tiny)
    assert made.hardware is not None
    if refused:
        with pytest.raises(QsynthError, match=f"a circuit's outputs; got {generator['kind']}"):
            made.hardware.estimate(made.trial)
    else:  # two circuits a row
        plain = study({**tiny, "trial": {**tiny["trial"], "generator": {"kind": "quantum"}}})
        assert plain.hardware is not None
        assert made.hardware.estimate(made.trial)[0] == plain.hardware.estimate(plain.trial)[0] * 2


def test_what_the_agent_could_change_stays_built_on_the_device(tiny: dict[str, Any]) -> None:
    tiny["trial"]["search_space"]["weight_average"] = {"kind": "float", "low": 0, "high": 0.99}
    made = study(tiny)
    assert made.hardware is not None
    there = made.hardware.trial(made.trial)
    assert "weight_average" in there.used
    assert list(there.search_space) == ["weight_average"]


def test_on_the_device_a_trial_takes_all_shots(tiny: dict[str, Any]) -> None:
    """What the agent did with the simulator's is over."""
    tiny["trial"]["search_space"]["shots"] = {"kind": "float", "low": 5, "high": 50}
    tiny["trial"] |= {"engine": {"shots": 50}, "defaults": {**tiny["trial"].get("defaults", {}), "shots": 25}}
    made = study(tiny)
    assert made.hardware is not None
    assert "shots" not in made.hardware.trial(made.trial).search_space
    assert made.hardware.trial(made.trial).defaults.shots is None
    assert "shots" not in made.hardware.simulated(made.trial).used
    population = Population(made.trial, 2, 3, 1)
    instance = made.data.instance(0, held_out=False)
    population.reset([0], [instance], [0])
    assert population.snapshot(0).hyperparameters["shots"] == 25
    assert "shots" not in made.hardware.start(population.snapshot(0)).hyperparameters


def test_only_a_price_makes_a_bill() -> None:
    assert Price().describe(Spend(3, 4000)) == "3 circuits, 4,000 shots"
    assert Price(per_circuit=0.3, per_shot=0.00035, currency="EUR").of(Spend(10, 1000)) == pytest.approx(3.35)


def test_devices_are_shared_through_the_clusters_qpus(tiny: dict[str, Any]) -> None:
    assert list(plan_runners(study(tiny), {"CPU": 4, "qpu": 1}).values()) == [1]
    with pytest.raises(QsynthError, match="ray start --resources"):
        plan_runners(study(tiny), {"CPU": 4})
    tiny["resources"]["n_runners"] = None
    remote = parse(Study, tiny, source="test")
    engine = remote.trial.engine.replaced(name="qiskit.remote", backend="FakeManilaV2", shots=10)
    if not has_device("qiskit.remote"):
        pytest.skip("qiskit.remote is not installed")
    each_needs_one = remote.replaced(trial={**remote.trial.model_dump(), "engine": engine.model_dump()})
    assert list(plan_runners(each_needs_one, {"CPU": 4, "qpu": 2}).values()) == [2]
    assert list(plan_runners(remote, {"CPU": 4, "qpu": 2}).values()) == [4]
    assert qpus({"qpu": 3.0}) == 3


def test_a_gpu_for_each_population_or_none(tiny: dict[str, Any]) -> None:
    tiny["resources"] |= {"place": "cuda", "n_runners": None}
    made = parse(Study, tiny, source="test")
    assert list(plan_runners(made, {"CPU": 4, "GPU": 2.0}).values()) == [2]
    with pytest.raises(QsynthError, match=r"resources\.place must be cpu on a cluster without a GPU"):
        plan_runners(made, {"CPU": 4})
    assert made.environment(True).place == "cuda"


def test_a_result_survives_its_file_and_says_what_was_spent() -> None:
    values = {"score": 0.5, "fidelity": 0.1}
    device = DeviceResult(
        device="d",
        simulated=values,
        before=values,
        after={"score": 0.6, "fidelity": 0.05},
        scores=(0.4, 0.7),
        kept=1,
        reason="shots",
        estimated=Spend(3, 300),
        spent=Spend(2, 200),
        bill="bill",
    )
    assert TypeAdapter(DeviceResult).validate_python(json.loads(json.dumps(asdict(device)))) == device
    text = device.markdown()
    for part in ("| d, fine-tuned there | 0.600 | 0.050 |", "Spent: bill", "the budget of shots was used up"):
        assert part in text
    assert device.metrics()["device_spent/shots"] == 200.0


@pytest.mark.timeout(600)
def test_a_study_ends_on_a_noisy_processor(tmp_path: Path, tiny: dict[str, Any]) -> None:
    """From ``qsynth tune`` to the report; with qiskit installed on the errors that IBM recorded of one of its own."""
    tiny["budget"] |= {"agent_trials": 4, "held_out": 1}
    recorded = {"name": "qiskit.aer", "backend": "FakeManilaV2", "shots": 100, "differentiation": "spsa"}
    tiny["hardware"] = HARDWARE | ({"engine": recorded} if has_device("qiskit.aer") else {})
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(tiny))
    command = [
        sys.executable,
        "-c",
        "from cluster.cli.app import main; main()",
        "tune",
        str(file),
        "--out",
        str(tmp_path),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert ended.returncode == 0, ended.stderr
    assert "at the end on " in ended.stderr
    [folder] = [path.parent for path in tmp_path.glob("*/result.json")]
    found = json.loads((folder / "result.json").read_text())["device"]
    device = TypeAdapter(DeviceResult).validate_python(found)
    # PennyLane runs no circuits for a row on which the loss does not depend.
    assert 0.9 * device.estimated.shots <= device.spent.shots <= device.estimated.shots
    assert device.reason == "budget"
    assert len(device.scores) == 3
    assert device.before != device.simulated
    assert "## On the device" in (folder / "report.md").read_text()
    assert (folder / "model-device.safetensors").is_file()
