"""One program per update, where it pays; on a GPU, launched as one."""

from collections.abc import Callable
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, cast

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from pipeline.core.config.computation import Computation
from pipeline.core.population.programs import Program

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

CALLS_BEFORE_RECORDING = 3
"""In which compilers and libraries do what they do only once."""


def compile_update(
    function: Callable[Arguments, Result], computation: Computation, about: object
) -> Callable[Arguments, Result]:
    """The method itself, or one program that does all of it at once; as `Program`.

    On a GPU its kernels are recorded, too, which changes no number: `Recorded`.
    """
    assert computation.compile != "auto", "whether it pays must be settled before"
    compiled = computation.compile != "never"
    program: Callable[..., Result] = function
    if computation.device == "cuda":
        program = Recorded(_compiled(function) if compiled else function)
    elif compiled:
        program = Program(cast(MethodType, function), about)
    return cast(Callable[Arguments, Result], program)


def _compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    torch._dynamo.config.trace_autograd_ops = True  # gradients inside of the graph
    return torch.compile(function, fullgraph=True, dynamic=False)


class Recorded(Generic[Result]):
    """A function whose kernels are recorded once and launched together from then on.

    A small update is a hundred kernels of a few microseconds each, and launching them
    one by one takes longer than they do. The first calls are ordinary ones, so that a
    function that learns learns in each of them. What the function reads besides its
    arguments has to stay where it is.
    """

    def __init__(self, function: Callable[..., Result]) -> None:
        self._function = function
        self._calls = 0
        self._inputs: list[Any] = []
        self._graph = torch.cuda.CUDAGraph()
        self._result: Result

    def __call__(self, *arguments: Any) -> Result:
        """As the function; the next call overwrites what it returns."""
        self._calls += 1
        if self._calls <= CALLS_BEFORE_RECORDING:
            return self._aside(arguments)
        if self._calls == CALLS_BEFORE_RECORDING + 1:
            self._record(arguments)
        for place, given in zip(
            self._inputs, pytree.tree_leaves(arguments), strict=True
        ):
            if isinstance(given, Tensor):
                place.copy_(given)
        self._graph.replay()
        return self._result

    def _aside(self, arguments: tuple[Any, ...]) -> Result:
        """Not on the default stream, where nothing can be recorded later."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = self._function(*_kept(arguments))
        torch.cuda.current_stream().wait_stream(stream)
        return result

    def _record(self, arguments: tuple[Any, ...]) -> None:
        places = _kept(arguments)
        self._inputs = pytree.tree_leaves(places)
        with torch.cuda.graph(self._graph):
            self._result = self._function(*places)


def _kept(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies that nobody else writes into, dense in memory."""
    return cast(
        tuple[Any, ...],
        pytree.tree_map_only(
            Tensor, lambda x: x.clone(memory_format=torch.contiguous_format), arguments
        ),
    )
