"""``qsynth circuit``, and what other commands say of a circuit."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.study.circuit_remarks import remarks, structure
from cluster.study.study import Study, load_study
from tests.cluster.cli.test_app import call, refused, with_change


def test_a_circuit_is_drawn_with_its_gates_its_outputs_and_what_has_no_effect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    tiny["trial"] |= {"ansatz": "hardware_efficient", "encoder": "angle_y"}
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(tiny))
    assert call(monkeypatch, "circuit", file) == 0
    printed = capsys.readouterr().out
    assert "0: ──RY─╭||─╭●──RZ──RY─" in printed
    assert "hardware_efficient, encoder angle_y, readout z" in printed
    assert "2 CZ, 6 RY, 3 RZ" in printed
    assert "32 circuits: 24 for outputs, 8 for the gradient by backprop" in printed
    # Two features are two outputs, and the third qubit's gates come behind all that connects it to them.
    assert "note: 2 of 6 weights have no effect on the outputs used: layer 0: 4-5 (counted from 0)" in printed


def test_a_circuit_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "circuit", "gaussian", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["study"], found["engine"], found["encoder"]) == ("gaussian", "statevector", "angle_x")
    assert found["dead"]["weights"] == [[2, 0], [2, 1]]
    [warning] = found["warnings"]
    assert warning.startswith("2 of 12 weights")


def test_a_bad_study_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    file = with_change(tiny, tmp_path, "trial.encoder", "angle_yy")
    assert "encoder must be a registered one" in refused(monkeypatch, capsys, "circuit", file)
    assert "Did you mean 'iris'?" in refused(monkeypatch, capsys, "circuit", "irs")


def test_large_circuits_are_said_to_be_counted_only(tiny: dict[str, Any]) -> None:
    tiny["trial"]["n_qubits"] = 11
    assert remarks(structure(Study.model_validate(tiny))) == [
        "effects and outputs are looked at up to 10 qubits; got 11"
    ]


def test_doctor_names_what_has_no_effect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_file: Path
) -> None:
    assert call(monkeypatch, "doctor", "gaussian", "--json") == 0
    assert json.loads(capsys.readouterr().out)["study gaussian"]["circuit"].startswith("2 of 12 weights have no effect")
    assert structure(load_study(str(tiny_file))).n_qubits == 3
