"""The random numbers: the published generator, separate streams, the right distributions."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from qsynth import rng


def scalar(value: int) -> Tensor:
    return torch.tensor(value, dtype=torch.int64)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter: list[int], key: list[int], expected: list[int]) -> None:
    c0, c1, c2, c3 = (scalar(word) for word in counter)
    found = rng.philox((c0, c1, c2, c3), (scalar(key[0]), scalar(key[1])))
    assert [int(word) for word in found] == expected


def test_seeds_streams_and_steps_give_different_numbers() -> None:
    low, high = 5, 5 + (1 << 32)  # differ only in the seed's upper half
    draws = {
        (seed, stream, step): rng.uniform(scalar(seed), stream, scalar(step), 64).numpy()
        for seed in (0, low, high, (1 << 63) - 1)
        for stream in (0, 1, 4)
        for step in (0, 1, (1 << 32) - 1)
    }
    rows = np.stack(list(draws.values()))
    correlation = np.corrcoef(rows)
    assert len(np.unique(rows)) > 0.99 * rows.size
    assert np.abs(correlation - np.eye(len(rows))).max() < 0.7


def test_a_longer_draw_repeats_no_number() -> None:
    u = rng.uniform(scalar(3), 0, scalar(0), 4096)
    assert u.shape == (4096,)
    assert len(u.unique()) > 4090


def test_uniform_numbers_are_uniform() -> None:
    u = rng.uniform(scalar(1), 2, scalar(3), 20_000).numpy()
    assert stats.kstest(u, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.03


def test_the_largest_word_stays_below_one() -> None:
    """With 24 bits a number this large rounds to 1, and a row index drawn with it runs past the end."""
    u = rng.uniform(scalar(0), 2, scalar(13), 1 << 20)
    assert u[458_690] > 1 - 2.0**-22
    assert u.max() < 1
    assert u.min() > 0


@pytest.mark.parametrize("size", [20_000, 19_999])
def test_normal_numbers_are_normal(size: int) -> None:
    z = rng.normal(scalar(1), 2, scalar(3), size).numpy()
    assert z.shape == (size,)
    assert stats.kstest(z, "norm").pvalue > 0.01
    halves = z[: size // 2], z[-(size // 2) :]
    assert abs(np.corrcoef(*halves)[0, 1]) < 0.03
    assert abs(np.corrcoef(halves[0] ** 2, halves[1] ** 2)[0, 1]) < 0.03


def test_lanes_draw_what_each_would_draw_alone() -> None:
    seeds, steps = torch.tensor([7, 1 << 40, 9]), torch.tensor([0, 5, 5])
    together = torch.func.vmap(lambda seed, step: rng.normal(seed, 3, step, 33))(seeds, steps)
    for lane in range(3):
        alone = rng.normal(seeds[lane], 3, steps[lane], 33)
        torch.testing.assert_close(together[lane], alone, rtol=0, atol=1e-6)
    uniform = torch.func.vmap(lambda seed, step: rng.uniform(seed, 3, step, 33))(seeds, steps)
    assert torch.equal(uniform[1], rng.uniform(seeds[1], 3, steps[1], 33))


def test_a_digest_depends_on_every_bit_and_every_place() -> None:
    values = torch.randn(4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tiny = torch.eye(4, dtype=torch.float64) * 2.0**-52
    variants = torch.cat([values[None] * (1 + tiny), values[None], values.flip(0)[None], 0 * values[None]])
    keys = torch.stack(rng.digest(variants), dim=1)
    assert keys.shape == (7, 2)
    assert ((keys >= 0) & (keys < 1 << 32)).all()
    assert len({int(word) for word in keys.ravel()}) == 14
    single = torch.stack(rng.digest(values.float()))
    assert torch.equal(single, torch.stack(rng.digest(values.float().double())))
    assert not torch.equal(single, torch.stack(rng.digest(values.float(), first=1)))
    flipped = (keys[:4, 0] ^ keys[4, 0]).tolist()
    assert all(8 <= word.bit_count() <= 24 for word in flipped)
