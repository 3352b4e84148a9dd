import numpy as np
import pytest
from scipy.stats import chisquare

from qsynth.config import Config, parse
from qsynth.data.discrete import Bimodal, Binomial, DiscreteData, Law, LogNormal, Triangular
from qsynth.data.sources import DataConfig
from qsynth.errors import QsynthError

LAWS = (LogNormal(), Triangular(), Bimodal(), Binomial())


class Study(Config):
    data: DataConfig


def discretised(draws: np.ndarray, last: int) -> np.ndarray:
    """What Zoufal et al. do to samples: leave out those outside [0, last], round the others."""
    counts: np.ndarray = np.bincount(np.round(draws[(draws >= 0) & (draws <= last)]).astype(int), minlength=last + 1)
    return counts


@pytest.mark.parametrize("n_qubits", [3, 5])
def test_laws_are_those_of_rounded_samples(n_qubits: int) -> None:
    rng, last, n = np.random.default_rng(0), 2**n_qubits - 1, 200_000
    samples = {
        LogNormal(): rng.lognormal(1, 1, n),
        Triangular(): rng.triangular(0, 2, last, n),
        Bimodal(): np.where(rng.random(n) < 0.5, rng.normal(0.5, 1, n), rng.normal(3.5, 0.5, n)),
        Binomial(): rng.binomial(last, 0.5, n).astype(float),
    }
    for target, draws in samples.items():
        counts = discretised(draws, last)
        wanted = counts.sum() * DiscreteData(target=target, n_qubits=n_qubits).probabilities()
        often = wanted > 5
        assert chisquare(counts[often], wanted[often] * counts[often].sum() / wanted[often].sum()).pvalue > 1e-3
        assert wanted[~often].sum() < 1e-3 * n


def test_known_probabilities() -> None:
    np.testing.assert_allclose(Binomial().probabilities(4), [1 / 8, 3 / 8, 3 / 8, 1 / 8])
    # A triangle on [0, 7] with its peak at 2 has the distribution function x^2 / 14 up to there.
    np.testing.assert_allclose(Triangular().probabilities(8)[:2], [0.25 / 14, (2.25 - 0.25) / 14])


@pytest.mark.parametrize("target", LAWS, ids=lambda law: law.kind)
def test_samples_follow_the_law(target: Law) -> None:
    data = DiscreteData.model_validate({"target": target, "n_train": 20_000})
    instance = data.instance(0, held_out=True)
    values = instance.scaling.inverse(instance.train.x)[:, 0]
    np.testing.assert_allclose(values, np.round(values), atol=1e-6)
    counts = np.bincount(np.round(values).astype(int), minlength=8)
    wanted = 20_000 * data.probabilities()
    likely = wanted > 5
    assert chisquare(counts[likely], wanted[likely] * counts[likely].sum() / wanted[likely].sum()).pvalue > 1e-3
    np.testing.assert_allclose(np.unique(instance.train.x), np.linspace(-0.9, 0.9, 8)[counts > 0], atol=1e-6)
    assert instance.key == f"discrete#held-0:{target.name}"


def test_a_number_of_parameters_makes_another_target() -> None:
    study = parse(Study, {"data": {"kind": "discrete", "target": {"kind": "binomial", "p": 0.3}}}, source="study")
    assert study.data.instance(2, held_out=False).key == "discrete#2:binomial(0.30)"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"target": {"kind": "triangular", "mode": 8}}, r"target.mode must be at most 2\^n_qubits - 1 = 7; got 8"),
        ({"target": {"kind": "lognormal", "mu": 20}}, "at least 1 % of its mass in 0..7; got .* %"),
        ({"target": {"kind": "poisson"}}, "poisson"),
        ({"n_qubits": 13}, "less than or equal to 12"),
    ],
)
def test_what_it_cannot_do_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        parse(Study, {"data": {"kind": "discrete", **values}}, source="study")
