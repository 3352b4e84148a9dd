"""A trial's settings as a whole."""

from typing import Any

import pytest

from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.population.trial import TrialConfig
from qsynth.population.trial_settings import ALWAYS, OF_CRITICS
from qsynth.space.hyperparameters import SPARED


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"ansatz": "ry_rx_cnott"},
            r"must be a registered ansatz; got 'ry_rx_cnott'\. Did you mean 'ry_rx_cnot'\?",
        ),
        ({"qnn": {"ansatz": "strongly"}}, r"qnn\.ansatz must be a registered ansatz; got 'strongly'"),
        ({"engine": {"name": "lightnin.qubit"}}, r"Did you mean 'lightning\.qubit'\?"),
        ({"engine": {"name": "statevector"}, "n_qubits": 17}, "n_qubits must be at most 16"),
        ({"n_qubits": 40}, "n_qubits must fit in memory; got 40"),
        ({"n_qubits": 1_000_000_000}, "n_qubits: input should be less than or equal to 100"),
        ({"n_qubits": 0}, "n_qubits: input should be greater than or equal to 1"),
        ({"engine": {"shots": 0}}, r"engine\.shots"),
        ({"readout": "zz"}, r"readout must be a registered one; got 'zz'\. Did you mean 'z'\?"),
        ({"readout": ["ZI", "IXX"]}, r"readout must be a name, or Pauli strings .* the 2 qubits .*; got 'IXX'"),
        ({"readout": 3}, r"readout.*should be a valid string; got 3"),
        (
            {"readout": ["ZI", "XY"], "engine": {"noise": {"readout": 0.1}}},
            r"engine\.noise\.readout must be 0 where Y is read; got 'XY'",
        ),
        ({"generator": {"kind": "quantun"}}, r"generator.*'quantun'"),
        (
            {"generator": {"kind": "vae", "patches": 2}},
            "patches, inputs and output_scale must be left out with decoder classical",
        ),
        ({"generator": {"kind": "born", "low": 1.0}}, "low must be below high; got 1.0 and 0.9"),
        ({"generator": {"kind": "born"}, "readout": "zx"}, "readout must be left out with generator born"),
        ({"critic": {"kind": "mlp", "conditioning": "x"}}, r"critic\.conditioning"),
        ({"loss": "wgan"}, r"loss: input should be 'wasserstein'"),
        (
            {"search_space": {"vae_width": {"kind": "int", "low": 2, "high": 32}}},
            r"search_space\.vae_width must be left out: it does nothing with generator quantum, critic mlp, loss wass",
        ),
        (
            {"search_space": {"label_smoothing": {"kind": "float", "low": 0, "high": 0.3}}, "loss": "hinge"},
            r"search_space\.label_smoothing must be left out: it does nothing with .* loss hinge",
        ),
        (
            {"search_space": {"lr_critic": {"kind": "float", "low": 0.001, "high": 0.3}}, "loss": "energy"},
            r"search_space\.lr_critic must be left out: it does nothing with generator quantum and loss energy",
        ),
        ({"loss": "mmd", "penalty": "two_sided"}, "penalty must be left out with loss mmd, which needs no critic"),
        ({"loss": "energy", "critic": {"kind": "conv"}}, "critic must be left out with loss energy, which needs no"),
        (
            {"loss": "relativistic", "generator": {"kind": "born"}},
            "loss must not be relativistic with generator born: it pairs drawn rows",
        ),
        (
            {"search_space": {"shots": {"kind": "float", "low": 8, "high": 16}}},
            r"search_space\.shots needs engine\.shots, the most that may be taken",
        ),
        ({"defaults": {"shots": 8}}, r"defaults\.shots needs engine\.shots"),
        (
            {
                "search_space": {"fidelity_weight": {"kind": "float", "low": 0.3, "high": 3}},
                "defaults": {"fidelity_weight": 0},
            },
            r"defaults\.fidelity_weight must lie in its search space 0\.3\.\.3; got 0",
        ),
        (
            {"search_space": {"shots": {"kind": "float", "low": 8, "high": 65}}, "engine": {"shots": 64}},
            r"search_space\.shots must stay within 1\.\.64; got 8\.\.65",
        ),
        (
            {
                "search_space": {"shots": {"kind": "float", "low": 8, "high": 32}},
                "defaults": {"shots": 64},
                "engine": {"shots": 64},
            },
            r"defaults\.shots must lie in its search space 8\.\.32; got 64",
        ),
        ({"defaults": {"shots": 65}, "engine": {"shots": 64}}, r"defaults\.shots must be at most engine\.shots = 64"),
        (
            {"defaults": {"shots": 8}, "engine": {"name": "default.qubit", "shots": 64}},
            r"defaults\.shots must be left out on a device, whose shots are engine\.shots",
        ),
        (
            {"search_space": {"shot_share": {"kind": "float", "low": 0.1, "high": 1}}, "engine": {"shots": 64}},
            r"shot_share must be replaced by shots, .* write e\.g\. search_space: \{shots: \{kind: float",
        ),
        (
            {"defaults": {"shot_share": 0.5}},
            r"shot_share must be replaced by shots.* write e\.g\. defaults: \{shots: 16",
        ),
        ({"generator": {"kind": "quantum", "inputs": "linear"}}, r"inputs.*should be 'shift' or 'affine'"),
        (
            {"search_space": {"gp_weight": {"kind": "float", "low": 0.1, "high": 3}}, "penalty": "none"},
            r"search_space\.gp_weight must be left out: .* penalty none",
        ),
        (
            {"search_space": {"n_layers": {"kind": "int", "low": 1, "high": 3}}, "generator": {"kind": "classical"}},
            r"search_space\.n_layers must be left out: it does nothing with generator classical",
        ),
        (
            {"search_space": {"latent_dim": {"kind": "int", "low": 1, "high": 3}}, "generator": {"kind": "born"}},
            r"search_space\.latent_dim must be left out: it does nothing with generator born",
        ),
    ],
)
def test_impossible_trials_are_refused_in_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(QsynthError, match=message) as caught:
        parse(TrialConfig, {"n_qubits": 2, **values}, source="study")
    assert "\n" not in str(caught.value)


def test_a_readout_has_outputs_for_the_features() -> None:
    for readout, n_outputs in (("z", 3), ("zx", 6), ("probabilities", 8), (["ZZI", "IXX"], 2)):
        made = parse(TrialConfig, {"n_qubits": 3, "readout": readout}, source="study")
        assert made.circuit().n_outputs == n_outputs
        made.check_outputs(n_outputs)
        with pytest.raises(QsynthError, match=f"of which readout .* makes {n_outputs}"):
            made.check_outputs(n_outputs + 1)


def test_a_trial_survives_a_round_trip() -> None:
    values = {
        "n_qubits": 3,
        "readout": ["ZZI", "IXX"],
        "search_space": {"n_critic": {"kind": "int", "low": 1, "high": 4}},
    }
    made = parse(TrialConfig, values, source="study")
    assert parse(TrialConfig, made.model_dump(mode="json"), source="again") == made


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ({"generator": {"kind": "quantum", "patches": 4}}, 12),
        ({"generator": {"kind": "vae", "decoder": "quantum", "patches": 2}}, 6),
        ({"generator": {"kind": "born"}}, 3),
    ],
)
def test_generators_make_so_many_features(values: dict[str, Any], most: int) -> None:
    made = parse(TrialConfig, {"n_qubits": 3, **values}, source="study")
    made.check_outputs(most)
    with pytest.raises(QsynthError, match=f"n_qubits must suffice for the data's {most + 1} features"):
        made.check_outputs(most + 1)


@pytest.mark.parametrize("values", [{"kind": "classical"}, {"kind": "vae"}])
def test_classical_generators_make_any_number_of_features(values: dict[str, Any]) -> None:
    parse(TrialConfig, {"n_qubits": 2, "generator": values}, source="study").check_outputs(1000)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, {"latent_dim", "n_layers", "critic_width", "critic_layers", "gp_weight"}),
        ({"generator": {"kind": "classical"}, "penalty": "none"}, {"latent_dim", "critic_width", "critic_layers"}),
        (
            {"generator": {"kind": "vae", "decoder": "quantum"}, "critic": {"kind": "conv"}, "loss": "standard"},
            {"latent_dim", "n_layers", "critic_width", "critic_layers", "gp_weight", "label_smoothing", "filter_size"}
            | {"vae_layers", "vae_width", "kl_weight"},
        ),
        ({"generator": {"kind": "born"}}, {"n_layers", "critic_width", "critic_layers", "gp_weight"}),
        ({"loss": "energy"}, {"latent_dim", "n_layers"}),
    ],
)
def test_a_trials_kinds_decide_what_can_be_tuned(values: dict[str, Any], names: set[str]) -> None:
    made = parse(TrialConfig, {"n_qubits": 2, **values}, source="study")
    assert made.tunable == names | ALWAYS | (OF_CRITICS if made.has_critic else set())
    assert set(made.used) == made.tunable - set(SPARED)


def test_what_a_study_touches_is_used() -> None:
    """By its search space, or by a default that does something."""
    space = {"weight_average": {"kind": "float", "low": 0, "high": 0.99}}
    made = TrialConfig.model_validate({"n_qubits": 2, "search_space": space, "defaults": {"critic_layers": 1}})
    assert {"weight_average", "critic_layers"} <= set(made.used)
    assert "instance_noise" not in made.used


def test_shots_start_at_the_engines_and_cost_nothing_unless_they_are_named() -> None:
    plain = TrialConfig.model_validate({"n_qubits": 2, "engine": {"shots": 64}})
    assert plain.default("shots") == 64
    assert "shots" in plain.tunable - set(plain.used)
    space = {"shots": {"kind": "float", "low": 8, "high": 64, "log": True}}
    for more in ({"search_space": space}, {"defaults": {"shots": 63}}):
        assert "shots" in plain.replaced(**more).used
    assert "shots" in plain.replaced(generator={"kind": "classical"}, search_space=space).used
    elsewhere = plain.replaced(search_space=space).on({"name": "statevector", "shots": 32})
    assert (elsewhere.default("shots"), "shots" in elsewhere.used) == (32, False)
    assert "shots" not in TrialConfig(n_qubits=2).tunable


def test_files_that_hold_all_of_the_old_share_of_shots_are_read() -> None:
    made = TrialConfig.model_validate({"n_qubits": 2, "defaults": {"shot_share": 1.0}})
    assert made == TrialConfig(n_qubits=2)
