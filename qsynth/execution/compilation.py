"""Pure functions compiled ahead of time to machine code, which is kept on disk for all processes.

A function is traced through its ``torch.func`` transforms, and compiled by TorchInductor into a shared library. Loading
one takes milliseconds, where ``torch.compile`` would trace again in every process. What can't be compiled, whatever the
reason, is executed eagerly.
"""

import fcntl
import functools
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap

from qsynth.errors import CompilationError
from qsynth.execution.inductor import compile_function, load_function

CACHE = "QSYNTH_CACHE_DIR"
SOURCE = Path(__file__).parents[1]

logger = logging.getLogger(__name__)

# A pure function whose arguments and results are tensors or nested (named) tuples of them.
Function = Callable[..., Any]
# Makes a program of a function with a name: itself (``eager``), or machine code (``Compiler``).
Build = Callable[[str, Function], Function]
Signature = tuple[tuple[torch.Size, torch.dtype], ...]


def eager(_name: str, function: Function) -> Function:
    """The function as it is."""
    return function


class Compiler:
    """Compiles functions at their first call, or finds the machine code of an earlier process.

    Args:
        recipe: everything besides the arguments' shapes that determines the functions, e.g. a configuration as JSON.

    Attributes:
        patient: whether a call waits for another process that compiles the same function just now, or else is
            executed eagerly for the time being. Several processes that first call their functions impatiently share
            the compilations among them.
        failure: why a function could not be compiled; from then on none is, and those without machine code are executed
            eagerly. None as long as nothing has failed.
    """

    def __init__(self, recipe: str) -> None:
        self.recipe, self.patient = recipe, True
        self.failure: str | None = None

    def __call__(self, name: str, function: Function) -> "CompiledProgram":
        """``function`` as a program."""
        return CompiledProgram(name, function, self)


class _Code(NamedTuple):
    """Loaded machine code, and results of the same structure as its own."""

    run: Callable[[list[Tensor]], Sequence[Tensor]]
    results: Any


class CompiledProgram:
    """One function, compiled for each set of shapes that it is called with.

    ``compilations`` counts how often this process compiled it.
    """

    def __init__(self, name: str, function: Function, compiler: Compiler) -> None:
        self.name, self.function, self.compilations = name, function, 0
        self._compiler = compiler
        self._codes: dict[Signature, _Code] = {}

    def __call__(self, *arguments: Any) -> Any:
        """The function's results.

        Raises:
            QsynthError: the folder for machine code can't be used.
        """
        inputs = [leaf.contiguous() for leaf in leaves(arguments)]
        signature = tuple([(leaf.shape, leaf.dtype) for leaf in inputs])
        code = self._codes.get(signature) or self._prepare(arguments, inputs, signature)
        if code is None:
            return self.function(*arguments)
        return rebuilt(code.results, iter(code.run(inputs)))

    def _prepare(self, arguments: tuple[Any, ...], inputs: list[Tensor], signature: Signature) -> _Code | None:
        """Machine code for a first call; None where another process makes it, or there can be none."""
        if self._compiler.failure is not None:
            return None
        path = cache_folder() / f"{self.name}-{self._key(signature)}.zip"
        with _locked(path.with_suffix(".lock"), wait=self._compiler.patient) as got:
            if not got and not path.is_file():
                return None
            results = self.function(*arguments)  # what the function itself raises is not the compiler's fault
            run = _loaded(path)
            try:
                if run is None:
                    self.compilations += 1
                    _compile(self.function, arguments, inputs, path)
                    run = load_function(path)
                run(list(inputs))  # it may need something that this torch does not have
            except Exception as error:  # the compiler's stack raises anything, e.g. when the C++ compiler is too old
                reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                self._compiler.failure = f"torch {torch.__version__} can't compile {self.name} ({reason})"
                logger.warning("%s; computing eagerly, which is several times slower", self._compiler.failure)
                return None
        self._codes[signature] = _Code(run, results)
        return self._codes[signature]

    def _key(self, signature: Signature) -> str:
        parts = [
            self._compiler.recipe,
            repr([(tuple(shape), dtype) for shape, dtype in signature]),
            str(torch.get_num_threads()),
            _surroundings(),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@functools.cache
def compiler_failure() -> str | None:
    """Why this process can't compile, found out by a small function; None if it can.

    Raises:
        QsynthError: the folder for machine code can't be used.
    """
    compiler = Compiler("probe")
    compiler("probe", lambda rows: (vmap(grad(_probe))(rows),))(torch.ones(2, 3))
    return compiler.failure


def _probe(row: Tensor) -> Tensor:
    return torch.sin(row).square().sum()


def cache_folder() -> Path:
    """Where machine code is kept: ``$QSYNTH_CACHE_DIR``, or ``qsynth`` in the user's cache folder.

    Raises:
        QsynthError: it can't be written, or belongs to somebody else, whose code would be executed.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get(CACHE) or Path(home) / "qsynth")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        raise CompilationError(
            f"{folder} can't be used for compiled programs ({error.strerror}); set {CACHE}"
        ) from None
    if owner != os.getuid() or not os.access(folder, os.W_OK):
        raise CompilationError(
            f"{folder} must be this user's own to hold compiled programs; set {CACHE} to another folder"
        )
    return folder


def leaves(value: Any) -> list[Tensor]:
    """The tensors in nested (named) tuples, in order."""
    found: list[Tensor] = []
    for part in value:
        if isinstance(part, Tensor):
            found.append(part)
        else:
            found += leaves(part)
    return found


def rebuilt(like: Any, tensors: Iterator[Tensor]) -> Any:
    """Nested (named) tuples with the structure of ``like``, filled with ``tensors``."""
    if isinstance(like, Tensor):
        return next(tensors)
    parts = [rebuilt(part, tensors) for part in like]
    return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)


def _compile(function: Function, arguments: tuple[Any, ...], inputs: list[Tensor], path: Path) -> None:
    """Write the machine code of ``function`` to ``path``."""

    def flat(*tensors: Tensor) -> tuple[Tensor, ...]:
        # Contiguous, so that what one program returns is what another takes.
        return tuple(leaf.contiguous() for leaf in leaves(function(*rebuilt(arguments, iter(tensors)))))

    compile_function(flat, inputs, path)


def _loaded(path: Path) -> Any:
    """The machine code in ``path``, or None if there is none or it is damaged."""
    if not path.is_file():
        return None
    try:
        return load_function(path)
    except Exception:  # whatever is wrong with it, it is compiled again
        path.unlink(missing_ok=True)
        return None


@contextmanager
def _locked(path: Path, wait: bool) -> Iterator[bool]:
    """Whether this process alone holds the lock, which it may wait for."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


@functools.cache
def _surroundings() -> str:
    """What machine code depends on besides the function: qsynth's source, torch, and the processor."""
    digest = hashlib.sha256()
    for file in sorted(SOURCE.rglob("*.py")):
        digest.update(file.read_bytes())
    try:
        text = Path("/proc/cpuinfo").read_text()
        processor = next((line for line in text.splitlines() if line.startswith("flags")), "")
    except OSError:
        processor = ""
    return "\n".join([digest.hexdigest(), torch.__version__, torch.backends.cpu.get_cpu_capability(), processor])
