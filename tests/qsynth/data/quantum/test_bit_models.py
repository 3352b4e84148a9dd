"""The models that the benchmark of Born machines compares: enumerations against other ways, learning, choosing."""

import itertools
from dataclasses import replace

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.data.quantum.bitstrings import GroundStateBits
from tests.benchmarks import born, born_models
from tests.benchmarks.born import Plan, edge, hindsight, interval, measured, worth
from tests.benchmarks.born_models import Family, fitted, flipped, models
from tests.benchmarks.born_shots import Folds, Symmetry

N_QUBITS, STEPS = 4, 40
BITS = np.array(list(itertools.product([0, 1], repeat=N_QUBITS)))
NAMES = list(models(N_QUBITS, "x"))


def law_of(family: Family, parameters: Tensor) -> np.ndarray:
    return family.law(parameters[None])[0].double().numpy()


def some(family: Family) -> Tensor:
    return 0.7 * torch.randn(len(family.centre), generator=torch.Generator().manual_seed(1))


def exact(basis: str, field: float = 1.0) -> Tensor:
    data = GroundStateBits.model_validate({"n_qubits": N_QUBITS, "basis": basis, "field": field})
    return torch.from_numpy(data.probabilities().copy()).float()


def strings(basis: str, size: int, seed: int = 0, field: float = 1.0) -> np.ndarray:
    data = GroundStateBits.model_validate({"n_qubits": N_QUBITS, "basis": basis, "field": field, "n_train": size})
    return data.strings(data.instance(seed, held_out=False).train.x)


def tv(law: Tensor, wanted: Tensor) -> float:
    return float(0.5 * (law - wanted).abs().sum())


def test_mixture_is_a_sum_of_products() -> None:
    family = born_models.mixture(N_QUBITS, 3)
    parameters = some(family)
    shares = np.exp(parameters[:3].numpy())
    ones = 1 / (1 + np.exp(-2 * parameters[3:].reshape(3, N_QUBITS).double().numpy()))
    parts = np.stack([np.prod(np.where(BITS == 1, each, 1 - each), axis=1) for each in ones])
    np.testing.assert_allclose(law_of(family, parameters), shares / shares.sum() @ parts, atol=1e-6)


def test_boltzmann_machines_sum_over_hidden_spins() -> None:
    family = born_models.restricted_boltzmann(N_QUBITS, 3, decay=0.0)
    parameters = some(family)
    fields, weights = parameters[:N_QUBITS].numpy(), parameters[N_QUBITS:].reshape(3, N_QUBITS + 1).numpy()
    s, hidden = 2 * BITS - 1, np.array(list(itertools.product([-1, 1], repeat=3)))
    energies = (s @ fields)[:, None] + (s @ weights[:, :-1].T + weights[:, -1]) @ hidden.T
    wanted = np.exp(energies).sum(axis=1)
    np.testing.assert_allclose(law_of(family, parameters), wanted / wanted.sum(), atol=1e-6)

    family = born_models.visible_boltzmann(N_QUBITS, decay=0.0)
    parameters = some(family)
    pairs = itertools.combinations(range(N_QUBITS), 2)
    coupled = sum(float(j) * s[:, a] * s[:, b] for j, (a, b) in zip(parameters[N_QUBITS:], pairs, strict=True))
    wanted = np.exp(s @ parameters[:N_QUBITS].numpy() + coupled)
    np.testing.assert_allclose(law_of(family, parameters), wanted / wanted.sum(), atol=1e-6)


@pytest.mark.parametrize("ansatz", ["hardware_efficient", "strongly_entangling"])
def test_born_machine_is_the_circuit_of_its_ansatz(ansatz: str) -> None:
    family = born_models.born(N_QUBITS, ansatz, 2)
    parameters = some(family)
    size = ANSAETZE[ansatz].n_layer_weights(N_QUBITS)

    @qp.qnode(qp.device("default.qubit"))
    def circuit() -> object:
        for wire in range(N_QUBITS):
            qp.RY(parameters[wire], wires=wire)
        for layer in range(2):
            ANSAETZE[ansatz].apply(layer, None, parameters[size * (layer + 1) : size * (layer + 2)], N_QUBITS)
        return qp.probs(wires=range(N_QUBITS))

    np.testing.assert_allclose(law_of(family, parameters), np.asarray(circuit()), atol=1e-6)


@pytest.mark.parametrize("basis", ["x", "z"])
def test_the_chains_terms_make_its_ground_state(basis: str) -> None:
    """Symmetric whatever the angles; the likeliest ones come near the exact law, which generic layers don't so soon."""
    family = born_models.chain_circuit(N_QUBITS, basis, N_QUBITS // 2)
    law, symmetry = family.law(some(family)[None])[0], Symmetry(N_QUBITS, basis)
    torch.testing.assert_close(symmetry(law), law, atol=1e-6, rtol=0)
    wanted = exact(basis)
    found = fitted(family, None, wanted[None], torch.tensor([0]), 80)[-1, 0]
    assert tv(found, wanted) < 0.02


@pytest.mark.parametrize("basis", ["x", "z"])
def test_symmetries_are_those_of_the_exact_law(basis: str) -> None:
    symmetry, wanted = Symmetry(N_QUBITS, basis), exact(basis, 0.7)
    torch.testing.assert_close(symmetry(wanted), wanted, atol=1e-6, rtol=0)
    anything = torch.softmax(torch.randn(3, 2**N_QUBITS, generator=torch.Generator().manual_seed(0)), dim=1)
    once = symmetry(anything)
    torch.testing.assert_close(symmetry(once), once)
    torch.testing.assert_close(once.sum(dim=1), torch.ones(3))
    assert (once - anything).abs().max() > 0.01


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("symmetric", [False, True])
def test_models_learn_from_shots_and_die_of_shuffled_ones(name: str, symmetric: bool) -> None:
    """In Z below the critical field neighbours agree. Bits shuffled within their columns tell nothing of it."""
    basis, size = "z", 400
    symmetry = Symmetry(N_QUBITS, basis) if symmetric else None
    right = strings(basis, size, field=0.5)
    bits = right[:, None] >> np.arange(N_QUBITS)[::-1] & 1
    shuffled = np.random.default_rng(0).permuted(bits, axis=0) @ (1 << np.arange(N_QUBITS)[::-1])
    shares = Folds.of([right, shuffled], 2**N_QUBITS, 1).shares().reshape(2, 2, -1)[:, 1]
    wanted, seeds = exact(basis, 0.5), torch.tensor([0, 0])
    family = replace(models(N_QUBITS, basis)[name].options[-1], decay=0.0)
    learned, blind = fitted(family, symmetry, shares, seeds, STEPS)[-1]
    uniform = tv(torch.full_like(wanted, 2.0**-N_QUBITS), wanted)
    if name == "independent bits" and not symmetric:
        assert tv(learned, wanted) > 0.9 * uniform  # it has no way of telling
        return
    assert tv(learned, wanted) < 0.6 * uniform
    assert tv(blind, wanted) > tv(learned, wanted) + 0.1


@pytest.mark.parametrize("name", ["mixture", "restricted Boltzmann", "Born"])
def test_a_lane_is_the_same_alone(name: str) -> None:
    family = models(N_QUBITS, "x")[name].options[0]
    shares = Folds.of([strings("x", 40, seed) for seed in range(3)], 2**N_QUBITS, 2).shares()
    seeds = torch.arange(3).repeat_interleave(3)
    together = fitted(family, None, shares, seeds, 10)
    alone = fitted(family, None, shares[4:5], seeds[4:5], 10)
    torch.testing.assert_close(together[:, 4:5], alone, atol=1e-4, rtol=0)


def test_likelihood_of_a_mixture_is_that_of_expectation_maximisation() -> None:
    """Both from many starts; EM (Dempster, Laird & Rubin 1977) written as it stands in textbooks."""
    shares = Folds.of([strings("z", 200, field=0.5)], 2**N_QUBITS, 1).shares()[1:]
    weights = shares[0].double().numpy()
    best, rng = -np.inf, np.random.default_rng(0)
    for _ in range(5):
        part, ones = np.full(2, 0.5), rng.uniform(0.3, 0.7, (2, N_QUBITS))
        for _ in range(300):
            joint = part * np.stack([np.prod(np.where(BITS == 1, p, 1 - p), axis=1) for p in ones], axis=1)
            resp = weights[:, None] * joint / joint.sum(axis=1, keepdims=True)
            part, ones = resp.sum(axis=0), (resp.T @ BITS) / resp.sum(axis=0)[:, None]
        best = max(best, float(weights[weights > 0] @ np.log(joint.sum(axis=1)[weights > 0])))
    found = fitted(born_models.mixture(N_QUBITS, 2), None, shares, torch.tensor([0]), 80)[-1, 0].double().numpy()
    assert weights[weights > 0] @ np.log(found[weights > 0]) == pytest.approx(best, abs=0.01)


def test_kernel_turns_bits_over() -> None:
    shares = torch.eye(2**N_QUBITS)[:1]
    laws = flipped(N_QUBITS, None, shares)[:, 0]
    for flip, law in zip(born_models.FLIPS, laws, strict=True):
        ones = BITS.sum(axis=1)
        np.testing.assert_allclose(law.numpy(), flip**ones * (1 - flip) ** (N_QUBITS - ones), atol=1e-6)


def test_the_chain_finds_its_field() -> None:
    wanted = exact("x", 0.7)
    assert tv(born_models.chain_laws(N_QUBITS, "x", wanted[None])[0], wanted) < 0.02


def test_folds_hold_out_what_they_say() -> None:
    folds = Folds.of([np.array([0, 1, 2, 3, 0, 1, 2, 0])], 4, 4)
    assert folds.held_out[0].tolist() == [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [1, 0, 0, 1]]
    shares = folds.shares()
    torch.testing.assert_close(shares[0], torch.tensor([1 / 6, 2 / 6, 2 / 6, 1 / 6]))
    torch.testing.assert_close(folds.whole(shares), torch.tensor([[3 / 8, 2 / 8, 2 / 8, 1 / 8]]))


def test_folds_choose_by_their_shots() -> None:
    """The exact law among wrong ones, wherever it stands; and less of the uniform law the better the law is."""
    wanted, uniform = exact("x"), torch.full((2**N_QUBITS,), 2.0**-N_QUBITS)
    folds = Folds.of([strings("x", 400)] * 2, 2**N_QUBITS, 4)
    wrong = wanted.roll(1)
    options = torch.stack([wrong, wanted, uniform])[:, None].expand(-1, 10, -1)
    law, option = folds.chosen(options, uniform)
    assert option.tolist() == [1, 1]
    assert tv(law[0], wanted) < 0.02
    law, _ = folds.chosen(wrong.expand(1, 10, -1), uniform)
    assert tv(law[0], uniform) < 0.1


def test_measures_against_a_known_pair() -> None:
    found = measured(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert found["tv"] == pytest.approx([0.5, 0.0])
    assert found["kl"] == pytest.approx([np.log(2), 0.0], abs=1e-6)
    assert found["overlap"] == pytest.approx([np.sqrt(0.5), 1.0])


def made_laws(of_born: float, of_counts: float) -> list[dict[str, object]]:
    """Two laws, three seeds: distances as of counts, times a factor, so that the worth is known."""
    sizes, seeds = np.array([20, 100]), np.array([0.9, 1.0, 1.1])
    yardstick = seeds[:, None] / np.sqrt(born.YARDSTICK_SIZES)

    def of(factor: float) -> dict[str, object]:
        return {"tv": (factor * seeds[:, None] / np.sqrt(sizes)).tolist()}

    shown = {"symmetrised": {"Born": of(of_born), "counts": of(of_counts)}}
    return [{"sizes": sizes.tolist(), "models": shown, "yardstick": yardstick.tolist()}] * 2


def test_worth_is_that_of_rows() -> None:
    """Half of counts' distance is worth four times the rows, all of it just the rows."""
    laws = made_laws(0.5, 1.0)
    assert worth(laws, "symmetrised", "Born")["value"] == pytest.approx([4, 4])
    assert worth(laws, "symmetrised", "counts")["value"] == pytest.approx([1, 1])


def test_edge_has_its_sign_and_its_interval() -> None:
    better = edge(made_laws(0.5, 1.0), "symmetrised", "Born", "counts", "tv")
    worse = edge(made_laws(1.0, 0.5), "symmetrised", "Born", "counts", "tv")
    assert better["value"] == pytest.approx([0.5 / np.sqrt(20), 0.05])
    assert worse["value"] == pytest.approx([-value for value in better["value"]])
    assert better["low"][0] < better["value"][0] < better["high"][0]
    noise = np.random.default_rng(3).normal(size=(10, 1))
    found = interval(lambda drawn: noise[drawn].mean(axis=0), 10)
    assert found["high"][0] - found["low"][0] == pytest.approx(4 * noise.std() / np.sqrt(10), rel=0.2)


def test_hindsight_takes_the_best_classical_model_of_each_law() -> None:
    """Counts are better than the mixture on the first law and worse on the second; the chain itself is no rival."""
    first, second = (made_laws(1.0, 0.8)[0] | {"models": {"symmetrised": {}}} for _ in range(2))
    for law, (counts, mixture) in ((first, (0.8, 1.4)), (second, (1.4, 0.6))):
        factors = {"Born": 0.5, "counts": counts, "mixture": mixture, born.TOLD[1]: 0.1}
        law["models"]["symmetrised"] = {name: {"tv": [[factor]] * 3} for name, factor in factors.items()}
    assert hindsight([first, second], "symmetrised", "Born", "tv")["value"] == pytest.approx([0.2])


def test_the_benchmark_measures_every_model() -> None:
    """Four bits, two seeds: what the tables need is there, and all models but counts are laws of finite divergence."""
    plan = Plan(range(2), (20, 50), 6)
    found = born.of_law(plan, (N_QUBITS, "x", 1.0))
    assert set(NAMES) < set(found["models"]["symmetrised"])
    for form in found["models"].values():
        for name, each in form.items():
            assert np.shape(each["tv"]) == (2, 2)
            assert name == "counts" or np.max(each["kl"]) < 10
    fewest, *_, most = np.mean(found["yardstick"], axis=0)
    assert most < 0.3 * fewest
    text = born.page({"laws": [found], **born.analysed([found])})
    assert "edge in TV, symmetrised, over" in text
    assert born.of_law(plan, (N_QUBITS, "x", 1.0))["models"] == found["models"]
