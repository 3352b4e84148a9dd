"""Programs on a GPU as CUDA graphs: launched as one, instead of kernel by kernel."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from qsynth.execution.compilation import Function, Signature, leaves, rebuilt

WARM_UP = 3


class _Graph(NamedTuple):
    """A recorded graph, the memory it reads and writes, and results of the structure of its own."""

    graph: Any
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    results: Any


class CudaGraph:
    """A pure function of CUDA tensors, recorded for each set of shapes that it is called with.

    Each call copies its arguments into the memory that the graph reads, launches the graph, and copies the results.
    The recipe is torch's own (``torch.cuda.graph``): some runs on a side stream first, then the recording.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self._graphs: dict[Signature, _Graph] = {}

    def __call__(self, *arguments: Any) -> Any:
        """The function's results."""
        inputs = leaves(arguments)
        signature = tuple([(leaf.shape, leaf.dtype) for leaf in inputs])
        if signature not in self._graphs:
            self._graphs[signature] = self._recorded(arguments, inputs)
        graph = self._graphs[signature]
        for place, value in zip(graph.inputs, inputs, strict=True):
            place.copy_(value)
        graph.graph.replay()
        return rebuilt(graph.results, (output.clone() for output in graph.outputs))

    def _recorded(self, arguments: Any, inputs: Sequence[Tensor]) -> _Graph:
        own = [value.clone() for value in inputs]
        rebuilt_arguments = rebuilt(arguments, iter(own))
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                results = self.function(*rebuilt_arguments)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = self.function(*rebuilt_arguments)
        return _Graph(graph, own, leaves(results), results)


def captured(_name: str, function: Function) -> Function:
    """The function as CUDA graphs."""
    return CudaGraph(function)
