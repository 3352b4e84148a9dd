"""Critics of each kind: what their formulas say, computed a second time by torch's own layers."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, leaky_relu

from qsynth.errors import QsynthError
from qsynth.gan.conv_critic import ConvCritic, ConvCriticConfig
from qsynth.gan.head import CriticOptions
from qsynth.gan.mlp_critic import MLPCritic, MLPCriticConfig
from qsynth.networks.spectral import spectral_norm
from qsynth.space.controls import OFF, Controls
from qsynth.space.hyperparameters import Capacity

CLASSES, WIDTH = 3, 5


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels(n: int) -> Tensor:
    return torch.eye(CLASSES)[torch.arange(n) % CLASSES]


def settings(layers: int = 2, taps: int = 3, size: int = 3) -> Controls:
    masks = {"unit_mask": torch.ones(WIDTH), "filter_mask": (torch.arange(size) < taps).float()}
    return Controls(*[OFF] * 9)._replace(**masks, critic_layer_mask=(torch.arange(3) < layers).float())


def image_critic(shape: tuple[int, int], filter_size: int = 3, **options: object) -> ConvCritic:
    made = ConvCriticConfig.model_validate(options)
    return ConvCritic(shape, CLASSES, WIDTH, 3, filter_size, made, has_bias=True)


@pytest.mark.parametrize("shape", [(4, 5), (1, 6), (1, 1)])
@pytest.mark.parametrize(("filter_size", "taps"), [(3, 3), (3, 1), (5, 3), (5, 5)])
def test_convolutions_are_torchs(shape: tuple[int, int], filter_size: int, taps: int) -> None:
    """With an odd number of taps in use, which lie evenly around the centre."""
    critic = image_critic(shape, filter_size)
    flat = normal(critic.layout.size)
    p, half = critic.layout.split(flat), taps // 2
    x, onehot = normal(4, shape[0] * shape[1], seed=1), labels(4)
    planes = torch.cat([x.reshape(4, 1, *shape), onehot[:, :, None, None].expand(-1, -1, *shape)], dim=1)
    order = [0] + [sign * offset for offset in range(1, filter_size // 2 + 1) for sign in (1, -1)]
    rows = order if shape[0] > 1 else [0]
    for name, bias in (("w1", "b1"), ("w2", "b2")):
        kernel = torch.zeros(WIDTH, planes.shape[1], 2 * half + 1, 2 * half + 1)
        parts = p[name].reshape(WIDTH, len(rows), len(order), -1)
        for i, up in enumerate(rows):
            for j, along in enumerate(order):
                if max(abs(up), abs(along)) <= half:
                    kernel[:, :, half + up, half + along] = parts[:, i, j]
        planes = leaky_relu(conv2d(planes, kernel, p[bias], padding=half), 0.2)
    expected = planes.permute(0, 2, 3, 1).flatten(1) @ p["w4"] + p["b4"]
    using = settings(2, taps, filter_size)
    found = critic.score(critic.parameters(flat, using), x, onehot, using)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_two_taps_see_a_feature_and_the_next() -> None:
    critic = image_critic((1, 6), conditioning="auxiliary")
    flat, using = normal(critic.layout.size), settings(1, taps=2)
    p = critic.parameters(flat, using)
    x = normal(1, 6)
    moved = torch.func.jacrev(lambda x: critic.active(p, x, labels(1), using).reshape(6, WIDTH))(x)[:, :, 0]
    felt = (moved != 0).any(dim=1)
    expected = torch.eye(6, dtype=torch.bool) | torch.eye(6, dtype=torch.bool).roll(1, dims=1)
    expected[5, 0] = False
    assert torch.equal(felt, expected)


def test_an_image_must_have_the_datas_pixels() -> None:
    config = ConvCriticConfig(image_shape=(8, 8))
    config.check(64)
    with pytest.raises(QsynthError, match="as many pixels as the data has features, 60; got 8 x 8"):
        config.check(60)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_hidden_layers_out_of_use_are_skipped(layers: int) -> None:
    critic = MLPCritic(2, CLASSES, WIDTH, 3)
    flat, x, onehot = normal(critic.layout.size), normal(6, 2, seed=1), labels(6)
    p = critic.layout.split(flat)
    active = torch.cat([x, onehot], dim=1)
    for index in range(1, layers + 1):
        active = leaky_relu(active @ p[f"w{index}"].T + p[f"b{index}"], 0.2)
    using = settings(layers)
    torch.testing.assert_close(critic.score(p, x, onehot, using), active @ p["w4"])


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_a_projection_adds_the_product_with_the_classs_vector(kind: str) -> None:
    config = {"mlp": MLPCriticConfig, "conv": ConvCriticConfig}[kind](conditioning="projection")
    critic = config.build(2, CLASSES, Capacity(critic_width=WIDTH, critic_layers=3), True)
    flat, x, using = normal(critic.layout.size), normal(6, 2, seed=1), settings()
    p = critic.parameters(flat, using)
    active = critic.active(p, x, labels(6), using)
    assert torch.equal(active, critic.active(p, x, labels(6).roll(1, dims=1), using))  # rows alone
    expected = active @ p["w4"] + p["b4"] + (active * p["classes"][torch.arange(6) % CLASSES]).sum(dim=1)
    torch.testing.assert_close(critic.score(p, x, labels(6), using), expected)


def test_an_auxiliary_classifiers_cross_entropy_is_torchs() -> None:
    critic = MLPCriticConfig(conditioning="auxiliary", auxiliary_weight=0.4).build(
        2, CLASSES, Capacity(critic_width=WIDTH, critic_layers=3), False
    )
    flat, x, using = normal(critic.layout.size), normal(6, 2, seed=1), settings()
    p, weights = critic.parameters(flat, using), torch.tensor([0.5, 0.25, 0.25, 0, 0, 0])
    logits = critic.active(p, x, labels(6), using) @ p["classes"].T + p["class_bias"]
    each = torch.nn.functional.cross_entropy(logits, torch.arange(6) % CLASSES, reduction="none")
    found = critic.labelled(torch.tensor(1.0), p, x, labels(6), weights, using)
    torch.testing.assert_close(found, 1 + 0.4 * (each * weights).sum())
    plain = MLPCritic(2, CLASSES, WIDTH, 3)
    p = plain.layout.split(normal(plain.layout.size))
    assert plain.labelled(torch.tensor(1.0), p, x, labels(6), weights, using) == 1


@pytest.mark.parametrize("shape", [(5, 5), (3, 20), (20, 3), (1, 7), (32, 32)])
def test_the_spectral_norm_is_the_largest_singular_value_from_above(shape: tuple[int, int]) -> None:
    for matrix in (normal(*shape), torch.ones(shape), 1e-3 * normal(*shape, seed=1), torch.eye(*shape)):
        largest = torch.linalg.matrix_norm(matrix, ord=2)
        found = spectral_norm(matrix)
        assert largest * (1 - 1e-5) <= found <= largest * min(shape) ** (1 / 128) * (1 + 1e-5)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_a_normalised_critic_is_lipschitz(kind: str) -> None:
    """MLP: each layer's slope is at most 1, so the critic's is. A convolution's bound is that of its filters' matrix,
    times the square root of how many windows a feature is in."""
    config = {"mlp": MLPCriticConfig, "conv": ConvCriticConfig}[kind](spectral_norm=True)
    critic = config.build(4, CLASSES, Capacity(critic_width=WIDTH, critic_layers=3), False)
    using, x = settings(3), 3 * normal(200, 4)
    p = critic.parameters(20 * normal(critic.layout.size), using)
    slope = critic.slope(p, x, labels(200), using).norm(dim=1)
    assert (slope <= (1 if kind == "mlp" else 3**1.5) + 1e-5).all()
    assert slope.max() > 0.01


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="conditioning"):
        CriticOptions.model_validate({"conditioning": "label"})
