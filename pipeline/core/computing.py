"""One compiled graph per update, where it pays."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch

from pipeline.core.config import Computation

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def graph(
    function: Callable[Arguments, Result], computation: Computation
) -> Callable[Arguments, Result]:
    """The function itself, or one program that does all of it at once.

    Inside of a function that is compiled there may be gradients and changes of weights
    in place, but nothing that depends on a tensor's numbers: Python sees shapes only.

    Args:
        function: Of tensors, whose shapes and strides are the same in every call.
        computation: Whether to compile it, which is done at its first call.
    """
    if computation.compile == "never":
        return function
    assert computation.compile == "always", "whether it pays must be settled before"
    torch._dynamo.config.trace_autograd_ops = True  # gradients inside of the graph
    return torch.compile(function, fullgraph=True, dynamic=False)
