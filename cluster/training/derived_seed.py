"""Seeds that hang on where a training is, not on how it came there."""

import numpy as np


def derived_seed(*which: int) -> int:
    """A seed for each sequence of numbers that are not negative, independent of the others' (``SeedSequence``)."""
    return int(np.random.SeedSequence(which).generate_state(1)[0])
