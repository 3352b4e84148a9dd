"""The table of mutations is of the code as it is, and of tests that let none of them live."""

import ast
import json

import pytest

from tests.benchmarks.mutations import MUTATIONS, RIVALS, ROOT, Mutation

HELPERS = ("adjacent.py", "meter.py", "registry.py", "rows_rival.py")  # no rivals


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.about)
def test_a_mutation_still_fits_its_file(mutation: Mutation) -> None:
    text = (ROOT / mutation.path).read_text(encoding="utf-8")
    assert text.count(mutation.original) == 1
    ast.parse(text.replace(mutation.original, mutation.mutated))
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).exists()
        assert not name or name in (ROOT / file).read_text(encoding="utf-8")


def test_every_rival_is_mutated() -> None:
    files = {path.name for path in (ROOT / RIVALS).glob("*.py")} - {"__init__.py", *HELPERS}
    assert files <= {mutation.path.rpartition("/")[2] for mutation in MUTATIONS}


def test_each_mutation_was_tried_and_died() -> None:
    rows = json.loads((ROOT / "tests/benchmarks/results/mutations.json").read_text(encoding="utf-8"))["rows"]
    assert [row["about"] for row in rows] == [mutation.about for mutation in MUTATIONS]
    assert all(row["dies"] for row in rows)
