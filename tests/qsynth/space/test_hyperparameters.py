"""Hyperparameters, the capacity that they must fit in, and the masks through which they act."""

from typing import Any

import numpy as np
import pytest
import torch

from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.space.hyperparameters import NAMES, SIZES, Capacity, Hyperparameters, Tunables, controls


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"capacity": {"latent_dim": 1}, "defaults": {"latent_dim": 2}},
            r"defaults\.latent_dim must be at most capacity\.latent_dim = 1; got 2",
        ),
        ({"defaults": {"batch_size": 64}}, r"defaults\.batch_size must be at most capacity\.batch_size = 32; got 64"),
        ({"defaults": {"beta1": 1.0}}, r"defaults\.beta1"),
        ({"defaults": {"lr_critic": -0.1}}, r"defaults\.lr_critic"),
        ({"defaults": {"n_layers": 0}}, r"defaults\.n_layers"),
        (
            {"search_space": {"lr_generater": {"kind": "float", "low": 0.001, "high": 0.01}}},
            r"search_space\.lr_generater is no hyperparameter\. Did you mean 'lr_generator'\?",
        ),
        (
            {"search_space": {"lr_critic": {"kind": "float", "low": 1e-4, "high": 2.0}}},
            r"search_space\.lr_critic must stay within 0\.\.1; got 0\.0001\.\.2",
        ),
        (
            {"search_space": {"gp_weight": {"kind": "float", "low": -1, "high": 2}}},
            r"gp_weight must stay .*0\.\.1000",
        ),
        ({"search_space": {"beta1": {"kind": "float", "low": 0, "high": 1}}}, r"search_space\.beta1 must stay within"),
        (
            {"search_space": {"n_critic": {"kind": "int", "low": 1, "high": 6}}},
            r"must stay within 1\.\.5; got 1\.\.6",
        ),
        (
            {"search_space": {"n_critic": {"kind": "int", "low": 0, "high": 4}}},
            r"must stay within 1\.\.5; got 0\.\.4",
        ),
        ({"search_space": {"n_layers": {"kind": "choice", "values": [2, 4]}}}, r"n_layers must stay within 1\.\.3"),
        ({"search_space": {"n_layers": {"kind": "float", "low": 1, "high": 3}}}, "n_layers must be an int or a choice"),
        ({"search_space": {"n_layers": {"kind": "choice", "values": [1, 2.5, 3]}}}, "n_layers must hold whole numbers"),
        (
            {
                "search_space": {"lr_critic": {"kind": "float", "low": 0.01, "high": 0.1}},
                "defaults": {"lr_critic": 0.003},
            },
            r"defaults\.lr_critic must lie in its search space 0\.01\.\.0\.1; got 0\.003",
        ),
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        parse(Tunables, values, source="study")


def test_defaults_that_nobody_wrote_follow() -> None:
    space = {"lr_critic": {"kind": "float", "low": 0.01, "high": 0.1}, "n_critic": {"kind": "int", "low": 1, "high": 2}}
    capacity = {"latent_dim": 1, "n_critic": 2, "critic_width": 64}
    made = parse(Tunables, {"search_space": space, "capacity": capacity, "defaults": {"beta1": 0.1}}, source="study")
    defaults = made.defaults
    assert (defaults.latent_dim, defaults.n_critic, defaults.lr_critic, defaults.beta1) == (1, 2, 0.01, 0.1)
    assert (defaults.critic_width, defaults.lr_generator) == (32, 0.003)  # as ever
    assert Tunables(capacity=Capacity(n_layers=1), defaults=Hyperparameters(beta1=0.1)).defaults.n_layers == 1


def test_what_fits_is_accepted() -> None:
    space = {
        "lr_critic": {"kind": "float", "low": 1e-4, "high": 1.0, "log": True},
        "gp_weight": {"kind": "float", "low": 0, "high": 1000},
        "n_critic": {"kind": "int", "low": 1, "high": 5},
        "critic_width": {"kind": "choice", "values": [8, 16, 32]},
        "beta1": {"kind": "float", "low": 0, "high": 0.9},
    }
    made = parse(Tunables, {"search_space": space}, source="study")
    assert sorted(made.search_space) == sorted(space)


def test_names_cover_the_sizes() -> None:
    assert set(SIZES) < set(NAMES)
    assert all(hasattr(Hyperparameters(), name) for name in NAMES)


def test_sizes_act_through_masks_and_the_samples_share_one() -> None:
    capacity = Capacity(latent_dim=3, n_layers=2, critic_width=4, batch_size=5, n_critic=4)
    values = {name: np.full(2, float(getattr(Hyperparameters(), name) or 0)) for name in NAMES}
    values |= {"latent_dim": np.array([1.0, 3.0]), "n_layers": np.array([2.0, 1.0])}
    values |= {
        "critic_width": np.array([3.0, 4.0]),
        "batch_size": np.array([2.0, 5.0]),
        "n_critic": np.array([4.0, 1.0]),
    }
    made = controls(values, capacity)
    assert made.latent_mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert made.layer_mask.tolist() == [[1, 1], [1, 0]]
    assert made.unit_mask.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    torch.testing.assert_close(made.sample_weights, torch.tensor([[0.5, 0.5, 0, 0, 0], [0.2] * 5]))
    assert made.n_critic.tolist() == [4, 1]
    for name in ("lr_generator", "lr_critic", "gp_weight", "beta1"):
        torch.testing.assert_close(getattr(made, name), torch.as_tensor(values[name], dtype=torch.float32))
