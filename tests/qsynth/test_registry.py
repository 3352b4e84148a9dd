"""Named components, and suggestions for names that are not there."""

import pytest

from qsynth.errors import QsynthError, did_you_mean
from qsynth.registry import Registry


def test_members_are_found_by_name_and_listed_as_they_were_entered() -> None:
    numbers: Registry[int] = Registry("number")
    numbers.register("two")(2)
    assert numbers.register("one")(1) == 1
    assert (numbers["one"], numbers["two"], list(numbers)) == (1, 2, ["two", "one"])
    assert "one" in numbers
    assert "three" not in numbers


def test_a_name_is_given_once() -> None:
    numbers: Registry[int] = Registry("number")
    numbers.register("one")(1)
    with pytest.raises(QsynthError, match="number 'one' is registered already"):
        numbers.register("one")
    assert numbers["one"] == 1


def test_an_unknown_name_is_refused_with_what_was_meant() -> None:
    numbers: Registry[int] = Registry("number")
    numbers.register("eleven")(11)
    numbers.register("two")(2)
    with pytest.raises(QsynthError, match=r"number must be a registered one; got 'elevn'\. Did you mean 'eleven'\?"):
        numbers["elevn"]
    with pytest.raises(QsynthError, match=r"got 'xyz'\. Known: eleven, two\."):
        numbers["xyz"]


def test_no_suggestion_without_names() -> None:
    assert did_you_mean("x", []) == ""
