"""Functions compiled to machine code on disk."""

import fcntl
import stat
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from qsynth.errors import QsynthError
from qsynth.execution import compilation, inductor
from qsynth.execution.compilation import (
    CompiledProgram,
    Compiler,
    cache_folder,
    compiler_failure,
    eager,
    leaves,
    rebuilt,
)


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


def slope(pair: Pair, scale: Tensor) -> tuple[Pair, Tensor]:
    """Of each lane: the gradient of scale * sum(sin(first) * second^2), and that sum."""

    def total(first: Tensor, second: Tensor) -> Tensor:
        return scale * (torch.sin(first) * second**2).sum()

    return Pair(grad(total)(*pair), grad(total, argnums=1)(*pair)), total(*pair)


LANES = vmap(slope, in_dims=(0, None))


def arguments(n_lanes: int = 3) -> tuple[Pair, Tensor]:
    random = torch.Generator().manual_seed(n_lanes)
    return Pair(torch.randn(n_lanes, 5, generator=random), torch.randn(n_lanes, 5, generator=random)), torch.tensor(2.0)


def check(program: Any, *given: Any) -> None:
    found, total = program(*given)
    assert isinstance(found, Pair)
    expected, expected_total = LANES(*given)
    torch.testing.assert_close((*found, total), (*expected, expected_total))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the program ``slope`` for three lanes."""
    made = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(compilation.CACHE, str(made))
        program = Compiler("recipe")("slope", LANES)
        assert isinstance(program, CompiledProgram)
        check(program, *arguments())
        assert program.compilations == 1
        check(program, *arguments())
        assert program.compilations == 1
    return made


@pytest.fixture
def compiled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what would be compiled from now on; nothing is."""
    names: list[str] = []

    def compile_nothing(_function: Any, _arguments: Any, _inputs: Any, path: Path) -> None:
        names.append(path.stem)

    monkeypatch.setenv(compilation.CACHE, str(folder))
    monkeypatch.setattr(compilation, "_compile", compile_nothing)
    return names


def test_machine_code_of_another_process_is_used(compiled: list[str]) -> None:
    program = Compiler("recipe")("slope", LANES)
    pair, scale = arguments()
    check(program, pair, scale)
    strided = Pair(*(part.repeat_interleave(2, dim=1)[:, ::2] for part in pair))
    assert not strided.first.is_contiguous()
    check(program, strided, scale)
    assert compiled == []


@pytest.mark.parametrize("changed", ["recipe", "name", "shape", "dtype", "threads", "source"])
def test_what_may_differ_is_compiled_anew(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch, folder: Path, changed: str
) -> None:
    pair, scale = arguments(4 if changed == "shape" else 3)
    if changed == "dtype":
        pair, scale = Pair(pair.first.double(), pair.second.double()), scale.double()
    if changed == "threads":
        monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    if changed == "source":
        monkeypatch.setattr(compilation, "_surroundings", lambda: "other source")
    program = Compiler("other" if changed == "recipe" else "recipe")("slope2" if changed == "name" else "slope", LANES)
    program(pair, scale)
    assert len(compiled) == 1


def test_damaged_machine_code_is_compiled_anew(
    compiled: list[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = folder.glob("*.zip")
    (tmp_path / code.name).write_bytes(code.read_bytes()[:1000])
    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    Compiler("recipe")("slope", LANES)(*arguments())
    assert compiled == [code.stem]


def test_an_impatient_call_is_eager_while_another_process_compiles(
    compiled: list[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [code] = folder.glob("*.zip")
    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    compiler = Compiler("recipe")
    program = compiler("slope", LANES)
    compiler.patient = False
    with (tmp_path / f"{code.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        check(program, *arguments())
        (tmp_path / code.name).write_bytes(code.read_bytes())
        check(program, *arguments())
    assert compiled == []


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_what_the_compiler_refuses_is_executed_eagerly_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    compiler = Compiler("recipe")
    odd, slope = compiler("odd", lambda x: (x * float(x.sum()),)), compiler("slope", LANES)
    for _ in range(2):
        assert torch.equal(odd(torch.ones(2))[0], torch.full((2,), 2.0))
        check(slope, *arguments())
    [warning] = warnings_in(caplog)
    assert f"torch {torch.__version__} can't compile odd (" in warning
    assert warning.endswith("computing eagerly, which is several times slower")
    assert "\n" not in warning
    assert (odd.compilations, slope.compilations) == (1, 0)
    assert list(tmp_path.glob("*.zip")) == []


@pytest.mark.parametrize("broken", ["_traced", "_lowered", "_library", "_names", "_imported"])
def test_whatever_fails_in_code_generation_execution_is_eager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def gone(*_: object) -> None:
        raise ImportError("cannot import name 'pick_vec_isa'")

    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    monkeypatch.setattr(inductor, broken, gone)
    check(Compiler("recipe")("slope", LANES), *arguments())
    [warning] = warnings_in(caplog)
    assert "(ImportError: cannot import name 'pick_vec_isa')" in warning


def test_machine_code_that_does_not_run_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(compilation.CACHE, str(folder))
    monkeypatch.setattr(compilation, "load_function", lambda _: unknown_name)
    check(Compiler("recipe")("slope", LANES), *arguments())
    assert "NameError" in warnings_in(caplog)[0]


def unknown_name(_: list[Tensor]) -> list[Tensor]:
    raise NameError("name 'empty_strided' is not defined")


def test_what_the_function_raises_is_not_the_compilers_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(_: Tensor) -> Tensor:
        raise QsynthError("x must be positive")

    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    compiler = Compiler("recipe")
    with pytest.raises(QsynthError, match="x must be positive"):
        compiler("refusing", refusing)(torch.ones(2))
    assert compiler.failure is None


def test_whether_this_process_can_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compilation.CACHE, str(tmp_path))
    assert compiler_failure.__wrapped__() is None
    [code] = tmp_path.glob("*.zip")
    code.unlink()
    monkeypatch.setattr(inductor, "_lowered", lambda *_: 1 / 0)
    assert "ZeroDivisionError" in str(compiler_failure.__wrapped__())


def test_the_cache_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(compilation.CACHE, raising=False)
    assert cache_folder() == tmp_path / "qsynth"
    assert stat.S_IMODE(cache_folder().stat().st_mode) == 0o700
    monkeypatch.setenv(compilation.CACHE, str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.setattr(compilation.os, "getuid", lambda: 12345)
    with pytest.raises(QsynthError, match="must be this user's own"):
        cache_folder()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(compilation.CACHE, str(tmp_path / "file"))
    with pytest.raises(QsynthError, match="can't be used for compiled programs"):
        cache_folder()


def test_eager_is_the_function_itself() -> None:
    assert eager("slope", LANES) is LANES


def test_nested_tuples_are_taken_apart_and_put_together() -> None:
    value = (Pair(torch.tensor(1), torch.tensor(2)), (torch.tensor(3),), torch.tensor(4))
    assert [int(leaf) for leaf in leaves(value)] == [1, 2, 3, 4]
    again = rebuilt(value, iter([torch.tensor(i) for i in (5, 6, 7, 8)]))
    assert again == (Pair(torch.tensor(5), torch.tensor(6)), (torch.tensor(7),), torch.tensor(8))
