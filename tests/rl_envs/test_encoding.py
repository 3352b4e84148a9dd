"""An agent in another study: names match, its own scales hold, the study's limits too."""

import numpy as np
import pytest

from qsynth.errors import QsynthError
from qsynth.space.search_space import Choice, Float, Int
from rl_envs.encoding import Encoding
from rl_envs.observation import feature_names
from rl_envs.spaces import Entries, Recover, stay_index
from tests.rl_envs.tiny import SPACE, tuner

OWN: Entries = {
    "lr_generator": Float(low=1e-3, high=1e-1, log=True),
    "n_critic": Int(low=1, high=5),
    "gp_weight": Float(low=0.1, high=10, log=True),
}
STUDY: Entries = {
    "lr_generator": Float(low=1e-2, high=1e-0, log=True),
    "n_critic": Int(low=2, high=3),
    "beta1": Float(low=0.0, high=0.9),
}
OWN_FEATURES = ["score.now", "utility.utility", *(f"hyperparameters.{name}" for name in OWN)]
STUDY_FEATURES = ["hyperparameters.beta1", "hyperparameters.lr_generator", "hyperparameters.n_critic", "score.now"]
VALUES = {
    "lr_generator": np.array([0.01, 0.1, 1.0]),
    "n_critic": np.array([2.0, 3.0, 3.0]),
    "gp_weight": np.array([1.0, 1.0, 1.0]),  # in the study's trials, though it does not tune it
    "beta1": np.array([0.5, 0.5, 0.5]),
}


def encoding(own: Entries = OWN, study: Entries = STUDY) -> Encoding:
    return Encoding(OWN_FEATURES, own, STUDY_FEATURES, study, max_step=0.5)


def test_features_go_by_name_and_values_by_the_agents_scale() -> None:
    observation = np.arange(12, dtype=np.float32).reshape(3, 4)
    seen = encoding().observe(observation, VALUES)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen[:, 0], observation[:, 3])
    np.testing.assert_array_equal(seen[:, 1], 0.0)  # the study has no such metric
    np.testing.assert_allclose(seen[:, 2], [0.0, 1.0, 1.0], atol=1e-6)  # 0.01, 0.1, and beyond its scale
    np.testing.assert_allclose(seen[:, 3], [-0.5, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(seen[:, 4], 0.0, atol=1e-6)


def test_moves_are_the_agents_and_stay_within_the_study() -> None:
    up = {"lr_generator": np.ones((3, 1)), "n_critic": np.array([2, 2, 0]), "gp_weight": np.ones((3, 1))}
    moved = encoding().moves(VALUES, up)
    assert set(moved) == {"lr_generator", "n_critic"}  # no more than both know
    np.testing.assert_allclose(moved["lr_generator"], [0.1, 0.1, 1.0])  # half of its two decades, to its scale's end
    np.testing.assert_array_equal(moved["n_critic"], [3, 3, 2])
    down = {"lr_generator": -np.ones((3, 1)), "n_critic": np.array([0, 0, 0]), "gp_weight": np.ones((3, 1))}
    np.testing.assert_allclose(encoding().moves(VALUES, down)["lr_generator"], [0.01, 0.01, 0.01])


def test_staying_keeps_every_bit_even_beyond_the_agents_scale() -> None:
    stay = {"lr_generator": np.zeros((3, 1)), "n_critic": np.ones(3), "gp_weight": np.zeros((3, 1))}
    moved = encoding().moves(VALUES, stay)
    assert all(moved[name].tobytes() == VALUES[name].tobytes() for name in moved)


def test_in_its_own_study_nothing_changes() -> None:
    made = tuner(4)
    made.step({})
    same = Encoding(made.features, made.actions, made.features, made.actions, 0.2)
    observation = made.step({}).observation
    assert same.observe(observation, made.values).tobytes() == observation.tobytes()
    assert same.remarks() == []


def test_what_differs_is_said() -> None:
    assert encoding().remarks() == [
        "the agent leaves beta1 at the study's defaults",
        "the study does not let it tune gp_weight",
        "it was trained to see utility.utility",
    ]


def test_agents_with_nothing_to_do_are_refused() -> None:
    with pytest.raises(QsynthError, match=r"share a hyperparameter with the study; it tunes lr.*the study beta1"):
        encoding(study={"beta1": STUDY["beta1"]})
    with pytest.raises(QsynthError, match="know n_critic as the study does; it is a int, not one of"):
        encoding(study={**STUDY, "n_critic": Choice(values=(1, 2))})
    own = {**OWN, "n_critic": Choice(values=(1, 3))}
    with pytest.raises(QsynthError, match=r"it is one of \[1.0, 3.0\], not one of \[1.0, 2.0\]"):
        encoding(own, {**STUDY, "n_critic": Choice(values=(1, 2))})


def test_recovery_is_an_action_like_others() -> None:
    actions: Entries = {**SPACE, "recover": Recover()}
    names = feature_names(SPACE, ["fidelity"])
    made = Encoding(names, actions, names, actions, 0.2)
    values = {name: np.full(2, float(entry.low)) for name, entry in SPACE.items()}
    done = {name: np.full(2, 0 if isinstance(entry, Float) else stay_index(entry)) for name, entry in actions.items()}
    done["recover"] = np.array([0, 2])
    assert made.moves(values, done)["recover"].tolist() == [0, 2]
    plain = Encoding(names, actions, names, SPACE, 0.2)
    assert plain.remarks() == ["the study does not let it tune recover"]
    assert "recover" not in plain.moves(values, done)
