"""Random numbers as pure functions of (seed, stream, counter).

Philox-4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC'11), the generator behind cuRAND and
PyTorch's CUDA streams, written with torch integer arithmetic: it has no state, so it works under ``torch.func.vmap``
and ``torch.compile``, gives each lane of a population its own stream whatever its neighbours do, and a snapshot need
only remember a counter.
"""

import math
from typing import SupportsIndex

import numpy as np
import torch
from torch import Tensor

from qsynth.errors import StudyError

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def checked_seed(seed: int) -> int:
    """A seed that a stream's key can hold.

    Raises:
        QsynthError: it can't.
    """
    if not isinstance(seed, SupportsIndex) or not 0 <= seed < 2**63:
        raise StudyError(f"seed must be within 0..2^63 - 1; got {seed!r}")
    return seed


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Four blocks of 32 random bits for each counter.

    Args:
        counter: four broadcastable int64 tensors with values in [0, 2^32).
        key: two broadcastable int64 tensors with values in [0, 2^32).

    Returns:
        Four int64 tensors of the broadcast shape with values in [0, 2^32).
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for turn in range(_ROUNDS):
        product_0, product_1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        # Higher bits are cut off only where they would matter: few operations compile fast.
        c0 = ((product_1 >> 32) ^ c1 ^ (k0 + turn * _WEYL[0])) & _WORD
        c2 = ((product_0 >> 32) ^ c3 ^ (k1 + turn * _WEYL[1])) & _WORD
        c1, c3 = product_1, product_0
    return c0, c1 & _WORD, c2, c3 & _WORD


def digest(values: Tensor, first: int = 0) -> tuple[Tensor, Tensor]:
    """A key for :func:`philox` that depends on every bit of some numbers and on their places.

    Args:
        values: ... x size, floating-point numbers.
        first: the first number's place.

    Returns:
        Two int64 tensors (...) with values in [0, 2^32).
    """
    bits = values.to(torch.float64).view(torch.int64)
    place = torch.arange(first, first + values.shape[-1], dtype=torch.int64, device=values.device)
    zero = torch.zeros_like(place)
    words = philox((bits & _WORD, (bits >> 32) & _WORD, place, zero), (zero, zero))
    return words[0].sum(dim=-1) & _WORD, words[1].sum(dim=-1) & _WORD


def descendant(seed: Tensor, step: Tensor) -> Tensor:
    """Seeds in [0, 2^63) that depend on every bit of other seeds and on steps (both int64, one shape)."""
    zero = torch.zeros_like(seed)
    # Streams have a 0 in the last place.
    low, high, _, _ = philox((zero, step, zero, zero + 1), (seed & _WORD, (seed >> 32) & _WORD))
    return low | ((high >> 1) << 32)


def uniform(seed: Tensor, stream: int, step: Tensor, size: int) -> Tensor:
    """``size`` float32 numbers in (0, 1), 23 bits each (one more would round up to 1), for one lane.

    Args:
        seed: int64 scalar, the lane's seed, in [0, 2^63).
        stream: what the numbers are for; streams never overlap.
        step: int64 scalar in [0, 2^32), e.g. the iteration.
        size: how many.
    """
    blocks = -(-size // 4)
    index = torch.arange(blocks, dtype=torch.int64, device=seed.device)
    zero = torch.zeros_like(index)
    words = philox((index, zero + step, zero + stream, zero), (zero + (seed & _WORD), zero + ((seed >> 32) & _WORD)))
    bits = torch.cat(words)[:size]
    return ((bits >> 9).to(torch.float32) + 0.5) * 2.0**-23


def to_normal(u: Tensor) -> Tensor:
    """Standard normal numbers from an even count of uniform ones in (0, 1), by the Box-Muller transform."""
    first, second = u.chunk(2)
    radius, angle = torch.sqrt(-2.0 * torch.log(first)), 2.0 * math.pi * second
    return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)])


def normal(seed: Tensor, stream: int, step: Tensor, size: int) -> Tensor:
    """``size`` standard normal float32 numbers for one lane, from :func:`uniform`."""
    return to_normal(uniform(seed, stream, step, size + size % 2))[:size]


def derived_seed(*which: int) -> int:
    """A seed for each sequence of numbers that are not negative, independent of the others' (``SeedSequence``)."""
    return int(np.random.SeedSequence(which).generate_state(1)[0])
