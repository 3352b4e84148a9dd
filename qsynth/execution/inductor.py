"""Machine code of a function: TorchInductor's kernels in one shared library, and the Python that calls them in turn.

torch keeps compiled programs too, but at a price: AOTInductor compiles a C++ program around the kernels, which takes
longer than they do, and ``torch.compile`` compiles each kernel by itself and traces anew in every process. So this
module asks Inductor for its source code only, compiles all kernels of a function at once, and loads without Inductor.
It uses torch's private names, so it imports none of them before it compiles: whoever calls it can do without.
"""

import ast
import ctypes
import functools
import gc
import importlib.util
import math
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import safetensors.torch
import torch
from torch import Tensor
from torch.fx import GraphModule

from qsynth.files.atomic import atomic_file

TensorFunction = Callable[..., Sequence[Tensor]]

_SETTINGS = {
    "cpp.vec_isa_ok": True,  # the processor's vector instructions are used untried: trying takes 6 s
    "size_asserts": False,  # the caller checks shapes
}
_RUNNER, _KERNELS, _CONSTANTS = "runner.py", "kernels.so", "constants.safetensors"


# Makes a Python module of the kernels, as their functions of tensors; calling them by ctypes costs 3 us more.
_BINDINGS = """
#include <Python.h>
#include <utility>

extern "C" { void* (*tensor_address)(PyObject*); }

template <typename... A, size_t... I>
static PyObject* run(void (*kernel)(A...), PyObject* const* tensors, std::index_sequence<I...>) {
    kernel(static_cast<A>(tensor_address(tensors[I]))...);
    Py_RETURN_NONE;
}
template <typename... A> static PyObject* run(void (*kernel)(A...), PyObject* const* tensors) {
    return run(kernel, tensors, std::index_sequence_for<A...>());
}
template <auto kernel> static PyObject* bound(PyObject*, PyObject* const* tensors, Py_ssize_t) {
    return run(kernel, tensors);
}
#define BOUND(name) {#name, reinterpret_cast<PyCFunction>(bound<name>), METH_FASTCALL, nullptr}

extern PyMethodDef methods[];
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "kernels", nullptr, -1, methods};
PyMODINIT_FUNC PyInit_kernels() { return PyModule_Create(&module); }
PyMethodDef methods[] = {
"""


class _Source(NamedTuple):
    """C++ of the kernels as a Python module, and Python of the class that calls them."""

    kernels: str
    runner: str


def compile_function(function: TensorFunction, inputs: Sequence[Tensor], path: Path) -> None:
    """Write the machine code of a pure function, for contiguous inputs of just these shapes, to ``path``.

    Raises:
        Exception: whatever the compiler's stack raises, e.g. where values decide what the function does.
    """
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(dir=path.parent) as scratch, torch.no_grad():
        warnings.simplefilter("ignore")  # torch's, about itself
        with _hurried():
            graph = _traced(function, inputs)
            code, constants = _lowered(graph, inputs)
            source = _split(code)
            library = _library(source.kernels, Path(scratch))
        with atomic_file(path) as file, zipfile.ZipFile(file, "w") as archive:
            archive.write(library, _KERNELS)
            archive.writestr(_RUNNER, source.runner)
            archive.writestr(_CONSTANTS, safetensors.torch.save(constants))


def load_function(path: Path) -> Callable[[list[Tensor]], Sequence[Tensor]]:
    """The function in ``path``; it takes a list, which it empties, so that memory is free as early as possible.

    Raises:
        Exception: it is damaged.
    """
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        kernels = _imported(archive.extract(_KERNELS, scratch))
        code, constants = archive.read(_RUNNER), safetensors.torch.load(archive.read(_CONSTANTS))
    names: dict[str, Any] = _names() | constants | vars(kernels)
    exec(compile(code, str(path), "exec"), names)
    return names["Runner"]([]).call  # type: ignore[no-any-return]


def _guards() -> Any:
    return torch._C._dynamo.guards


def _names() -> dict[str, Any]:
    """What Inductor's code calls besides its kernels: memory, and torch, e.g. for matrix products into given memory."""
    guards = _guards()
    return {
        "torch": torch,
        "aten": torch.ops.aten,
        "extern_kernels": torch,
        "device": torch.device,
        "inf": math.inf,
        "nan": math.nan,
        "assert_alignment": guards.assert_alignment,
        "empty_strided_cpu": guards._empty_strided_cpu,
        "reinterpret_tensor": guards._reinterpret_tensor,
    }


def _imported(library: str) -> ModuleType:
    """The module of kernels in a shared library, told how to find a tensor's numbers."""
    loader = ExtensionFileLoader("kernels", library)
    kernels = importlib.util.module_from_spec(ModuleSpec("kernels", loader, origin=library))
    address = ctypes.c_void_p.in_dll(ctypes.CDLL(library), "tensor_address")
    address.value = _guards()._torchinductor_pyobject_tensor_data_ptr
    return kernels


def _traced(function: TensorFunction, inputs: Sequence[Tensor]) -> GraphModule:
    """The function as a graph of the operations that Inductor knows."""
    from torch._inductor.decomposition import select_decomp_table
    from torch._ops import OpOverload
    from torch.fx.experimental.proxy_tensor import make_fx

    table = select_decomp_table()
    graph = make_fx(function, decomposition_table=table)(*inputs)
    if any(isinstance(node.target, OpOverload) and node.target._schema.is_mutable for node in graph.graph.nodes):
        # Inductor wants no changes in place; ``functionalize`` can't read autograd functions, but their graph.
        graph = make_fx(torch.func.functionalize(graph), decomposition_table=table)(*inputs)
    graph.graph.eliminate_dead_code()
    for name, constant in list(graph.named_buffers()):
        setattr(graph, name, constant.contiguous())  # as a file keeps it
    return graph


def _lowered(graph: GraphModule, inputs: Sequence[Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Inductor's Python code for a graph, with the kernels' C++ in strings, and the constants that it reads."""
    from torch._inductor.compile_fx import fake_tensor_prop
    from torch._inductor.debug import DebugContext
    from torch._inductor.fx_passes.post_grad import post_grad_passes, view_to_reshape
    from torch._inductor.graph import GraphLowering
    from torch._inductor.virtualized import V

    view_to_reshape(graph)
    with DebugContext(), V.set_fake_mode(fake_tensor_prop(graph, list(inputs))):
        post_grad_passes(graph, is_inference=True)
        fakes = [node.meta["val"] for node in graph.graph.find_nodes(op="placeholder")]
        lowering = GraphLowering(graph, example_inputs=fakes, is_inference=True)
        with V.set_graph_handler(lowering), V.set_extern_kernel_nodes([]):
            lowering.run(*fakes)
            code, _ = lowering.codegen()
    return code.value, lowering.constants


@contextmanager
def _hurried() -> Iterator[None]:
    """Inductor without what takes half of its time and leaves its code the same."""
    import sympy  # type: ignore[import-untyped]
    from torch._inductor import config
    from torch._inductor.codegen import common
    from torch._inductor.cpu_vec_isa import VecISA

    collects = gc.isenabled()
    gc.disable()  # Inductor makes many objects, and no cycles to speak of
    try:
        with (
            config.patch(_SETTINGS),
            # Vector instructions for number types that are not used here are left out rather than tried.
            patch.object(VecISA, "check_build", lambda *_: False),
            # Strides are differences of index expressions; expanding finds them ten times faster than simplifying.
            patch.object(sympy, "simplify", sympy.expand),
            # There is but one such handler, and each operation sets it up again.
            patch.object(common, "DtypePropagationOpsHandler", functools.cache(common.DtypePropagationOpsHandler)),
        ):
            yield
    finally:
        if collects:
            gc.enable()


def _split(code: str) -> _Source:
    """The kernels out of Inductor's code, and the class ``Runner`` that calls them."""
    kernels, runner = {}, ""
    for node in ast.parse(code).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(name)], value=ast.Call(func=ast.Attribute(attr="cpp_pybinding"), args=[_, text])
            ):
                # Inductor calls each kernel "kernel", as it would have a library of its own.
                kernels[name] = f"#define kernel {name}\n{ast.literal_eval(text)}\n#undef kernel\n"
            case ast.ClassDef(name="Runner"):
                runner = ast.unparse(node)
    table = "\n".join(f"BOUND({name})," for name in kernels)
    return _Source("\n".join([*kernels.values(), _BINDINGS, table, "{}};"]), runner)


def _library(kernels: str, folder: Path) -> Path:
    """A shared library of C++ kernels."""
    from torch._inductor.cpp_builder import CppBuilder, CppTorchOptions
    from torch._inductor.cpu_vec_isa import pick_vec_isa

    source = folder / "kernels.cpp"
    source.write_text(kernels)
    builder = CppBuilder("kernels", str(source), CppTorchOptions(pick_vec_isa()), str(folder))
    builder.build()
    return Path(builder.get_target_file_path())
