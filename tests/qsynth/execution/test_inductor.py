"""Functions as machine code in a file."""

import gc
import zipfile
from pathlib import Path

import pytest
import sympy  # type: ignore[import-untyped]
import torch
from torch import Tensor
from torch.func import grad, vmap

from qsynth.execution.inductor import compile_function, load_function

# Transposed, so not contiguous, as constants of circuits are.
WEIGHTS = torch.arange(12, dtype=torch.float32).reshape(4, 3).T
ORDER = torch.tensor([2, 0, 3, 1])


def function(x: Tensor, seeds: Tensor) -> tuple[Tensor, ...]:
    """Of each lane: matrix products, a gather, 64-bit integers, a gradient and a reduction."""

    def one(row: Tensor, seed: Tensor) -> tuple[Tensor, ...]:
        slope = grad(lambda r: torch.sin(r @ WEIGHTS).square().sum())(row)
        return slope, (row @ WEIGHTS)[ORDER], (seed * 0xD2511F53 >> 32) & 0xFFFFFFFF, torch.logsumexp(row, dim=0)

    return vmap(one)(x, seeds)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("code") / "function.zip"
    compile_function(function, inputs(0), made)
    return made


def inputs(seed: int, n_lanes: int = 37) -> list[Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(n_lanes, 3, generator=random), torch.randint(1 << 32, (n_lanes,), generator=random)]


def test_machine_code_computes_what_the_function_does(path: Path) -> None:
    run = load_function(path)
    for seed in (0, 1):
        torch.testing.assert_close(tuple(run(inputs(seed))), function(*inputs(seed)))
    once, again = (run(inputs(2)) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))


def test_several_programs_live_side_by_side(path: Path, tmp_path: Path) -> None:
    compile_function(lambda x: (torch.sin(x) + WEIGHTS[0, 1],), [torch.zeros(5)], tmp_path / "other")
    first, other = load_function(path), load_function(tmp_path / "other")
    torch.testing.assert_close(other([torch.ones(5)])[0], torch.sin(torch.ones(5)) + WEIGHTS[0, 1])
    torch.testing.assert_close(tuple(first(inputs(3))), function(*inputs(3)))


def test_what_has_no_kernel_is_called_in_torch(tmp_path: Path) -> None:
    """As sampling does: running sums in double precision, and a search in them."""

    def drawn(p: Tensor, u: Tensor) -> tuple[Tensor, ...]:
        sums = torch.cumsum(p.double() * p.double(), dim=1)
        return (torch.searchsorted(sums, u * sums[:, -1:]),)

    random = torch.Generator().manual_seed(0)
    given = [torch.rand(5, 16, generator=random), torch.rand(5, 7, generator=random, dtype=torch.float64)]
    compile_function(drawn, given, tmp_path / "drawn.zip")
    torch.testing.assert_close(tuple(load_function(tmp_path / "drawn.zip")(list(given))), drawn(*given))


def test_a_function_without_kernels_is_a_program_too(tmp_path: Path) -> None:
    compile_function(lambda x, y: (x @ y,), [torch.ones(2, 3), torch.ones(3, 2)], tmp_path / "product")
    torch.testing.assert_close(
        load_function(tmp_path / "product")([torch.ones(2, 3), torch.full((3, 2), 2.0)])[0], torch.full((2, 2), 6.0)
    )


@pytest.mark.parametrize("member", ["kernels.so", "runner.py", "constants.safetensors"])
def test_a_damaged_file_is_refused(path: Path, tmp_path: Path, member: str) -> None:
    damaged = tmp_path / "damaged"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(damaged, "w") as part:
        for name in whole.namelist():
            part.writestr(name, whole.read(name)[: 100 if name == member else None])
    with pytest.raises(Exception):  # noqa: B017, PT011
        load_function(damaged)


def test_changes_in_place_are_followed(tmp_path: Path) -> None:
    def changed(x: Tensor) -> tuple[Tensor, ...]:
        total = x.clone()
        total[1:].add_(total[:-1] * WEIGHTS[0, 1])
        return (total,)

    compile_function(changed, [torch.ones(4)], tmp_path / "changed")
    given = torch.arange(4.0)
    torch.testing.assert_close(load_function(tmp_path / "changed")([given])[0], changed(given)[0])


def test_a_refusal_leaves_nothing_changed(tmp_path: Path) -> None:
    simplify = sympy.simplify
    with pytest.raises(RuntimeError):
        compile_function(lambda x: (x * float(x.sum()),), [torch.ones(2)], tmp_path / "refused")
    assert sympy.simplify is simplify
    assert gc.isenabled()
    assert list(tmp_path.iterdir()) == []
