"""Settings: frozen, checked, and errors that name the key in one line."""

from typing import Any

import pytest

from qsynth.config import Config, parse
from qsynth.errors import QsynthError, StudyError
from qsynth.population.trial import TrialConfig
from qsynth.space.hyperparameters import Hyperparameters


def refused(values: Any) -> str:
    with pytest.raises(QsynthError) as caught:
        parse(TrialConfig, values, source="study.yaml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("study.yaml: ")
    return message


@pytest.mark.parametrize(
    ("values", "path", "meant"),
    [
        ({"n_qubit": 2}, "n_qubit", "n_qubits"),
        ({"n_qubits": 2, "score": {"fidelty": 1}}, "score.fidelty", "fidelity"),
        ({"n_qubits": 2, "defaults": {"lr_critik": 1e-3}}, "defaults.lr_critik", "lr_critic"),
        (
            {"n_qubits": 2, "search_space": {"n_critic": {"kind": "int", "low": 1, "hihg": 3, "high": 4}}},
            "search_space.n_critic.hihg",
            "high",
        ),
        (
            {"n_qubits": 2, "search_space": {"n_critic": {"kind": "choice", "value": [1, 2], "values": [1, 3]}}},
            "search_space.n_critic.value",
            "values",
        ),
    ],
)
def test_an_unknown_key_is_named_by_its_path_with_what_was_meant(values: Any, path: str, meant: str) -> None:
    message = refused(values)
    assert f"unknown key {path!r}" in message
    assert f"Did you mean {meant!r}?" in message


def test_the_keys_of_another_kind_are_not_suggested() -> None:
    dimension = {"kind": "int", "low": 1, "high": 2, "value": 3}
    message = refused({"n_qubits": 2, "search_space": {"n_critic": dimension}})
    assert message.endswith("Known: high, kind, low.")


@pytest.mark.parametrize(
    ("dimension", "parts"),
    [
        ({"kind": "flaot", "low": 1, "high": 2}, ["search_space.n_critic", "'float', 'int', 'choice'"]),
        ({"low": 1, "high": 2}, ["search_space.n_critic", "'kind'"]),
        ({"kind": "int", "low": 1}, ["search_space.n_critic.high must be given"]),
        ({"kind": "int", "low": 4, "high": 1}, ["search_space.n_critic", "low must be below high; got 4 and 1"]),
        ({"kind": "int", "low": 1.5, "high": 3}, ["search_space.n_critic.low", "got 1.5"]),
        ("int", ["search_space.n_critic", "got 'int'"]),
    ],
)
def test_errors_in_one_of_several_kinds_are_readable(dimension: Any, parts: list[str]) -> None:
    message = refused({"n_qubits": 2, "search_space": {"n_critic": dimension}})
    for part in parts:
        assert part in message


def test_missing_wrong_and_several_errors() -> None:
    assert refused({}) == "study.yaml: n_qubits must be given"
    assert "n_qubits: input should be a valid integer" in refused({"n_qubits": "two"})
    assert refused({"n_qubits": "two"}).endswith("got 'two'")
    both = refused({"n_qubits": "two", "penalty": "x"})
    assert "n_qubits: input should be a valid integer" in both
    wrong = {"n_qubits": "two", "penalty": "x", "loss": "x", "readout": 1, "ansatz": 1, "encoder": 1, "patterns": 1}
    assert refused(wrong).count("; got") == 5
    assert refused(wrong).endswith(" more)")
    sides = "penalty: input should be 'one_sided', 'two_sided', 'zero_centered' or 'none'; got 'x'"
    assert sides in both
    assert sides in refused({"n_qubits": 2, "penalty": "x"})
    assert "(top level)" in refused([1])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_must_be_finite(value: float) -> None:
    message = refused({"n_qubits": 2, "defaults": {"gp_weight": value}})
    assert "defaults.gp_weight: input should be a finite number" in message


def test_settings_are_frozen_and_replaced_ones_are_checked() -> None:
    settings = Hyperparameters()
    with pytest.raises(StudyError, match=r"Hyperparameters must not be changed; .* replaced\(beta1=0\.3\)"):
        settings.beta1 = 0.3
    assert settings.replaced(beta1=0.3).beta1 == 0.3
    assert settings.beta1 == 0.5
    with pytest.raises(QsynthError, match=r"Hyperparameters: beta1: input should be .* 0\.999; got 1\.0"):
        settings.replaced(beta1=1.0)
    with pytest.raises(QsynthError, match=r"unknown key 'beta2'\. Did you mean 'beta1'\?"):
        settings.replaced(beta2=0.9)


def test_bad_defaults_of_a_class_are_found() -> None:
    class Bad(Config):
        size: int = "many"  # type: ignore[assignment]

    with pytest.raises(QsynthError, match="Bad: size"):
        parse(Bad, {}, source="Bad")
