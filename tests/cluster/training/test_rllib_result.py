"""Numbers that RLlib leaves out, or gives as not-a-number, when every population has died."""

import math
from typing import Any

import numpy as np
import pytest

from cluster.training.rllib_result import RLlibResult


@pytest.mark.parametrize("said", [{}, {"a": None}, {"a": {}}, {"a": 3}, {"a": {"b": math.nan}}, {"a": {"b": "much"}}])
def test_what_is_missing_is_no_number(said: dict[str, Any]) -> None:
    result = RLlibResult(said)
    assert math.isnan(result.value("a", "b"))
    assert (result.count("a", "b"), result.count("a", "b", otherwise=7)) == (0, 7)
    assert result.values("a", "b") == {}


def test_what_is_there_is_read() -> None:
    result = RLlibResult({"a": {"b": np.int64(3), "c": np.float32(0.5), "d": np.nan, "e": math.inf}})
    assert (result.count("a", "b"), result.value("a", "c")) == (3, 0.5)
    assert result.values("a") == {"b": 3.0, "c": 0.5}
