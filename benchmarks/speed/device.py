"""One population on a device, its updates compiled and launched in some way."""

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from typing import Any, Literal, TypeAlias
from unittest import mock

import torch

from benchmarks.speed.contest import Effort
from benchmarks.speed.rows import Row
from benchmarks.speed.subject import BATCHES, Case, batches, population
from pipeline.core.agents.base import QLearner
from pipeline.core.config.computation import Computation
from pipeline.core.memory.replay import Batch
from pipeline.core.population import compiling

WARMING_CALLS = 8
"""Compilation and recording among them."""
NOISE_BLOCK = 64
"""Updates whose random numbers are drawn together: whole blocks are timed."""
Device: TypeAlias = Literal["cpu", "cuda"]
Compiler: TypeAlias = Literal["none", "default", "reduce-overhead", "max-autotune"]
"""Modes of `torch.compile`; the last two make CUDA graphs of their own."""


@dataclass(frozen=True)
class Way:
    """How an update is computed."""

    compiler: Compiler
    recorded: bool
    """Whether its kernels are launched together as the core does it (a CUDA graph)."""
    precision: Literal["float32", "TF32", "bfloat16"]

    def computation(self, device: Device) -> Computation:
        """As the core has it; TF32 is a switch of torch."""
        return Computation(
            device=device,
            precision="bfloat16" if self.precision == "bfloat16" else "float32",
            compile="never" if self.compiler == "none" else "always",
        )

    @property
    def torchs_own(self) -> bool:
        """Whether the CUDA graph is torch's."""
        return self.compiler not in ("none", "default")


def described(case: Case, way: Way) -> dict[str, Any]:
    """What the rows of a population say besides what was measured."""
    return asdict(case) | asdict(way)


def timed(case: Case, way: Way, device: Device, effort: Effort) -> list[Row]:
    """Seconds of updates of one population, in every repetition."""
    _forget(device)
    precision = "high" if way.precision == "TF32" else "highest"
    torch.set_float32_matmul_precision(precision)
    agent = _agent(case, way, device)
    drawn = [Batch(*(part.to(device) for part in batch[:5])) for batch in batches(case)]
    indices = iter(range(10**9))

    def update(calls: int) -> float:
        _wait(device)
        begin = time.perf_counter()
        for index in islice(indices, calls):
            agent.update(drawn[index % BATCHES], index=index)
        _wait(device)
        return time.perf_counter() - begin

    update(WARMING_CALLS)
    calls = max(NOISE_BLOCK, round(effort.seconds * 8 / update(8)))
    about = described(case, way) | _used(device)
    return [
        {**about, "repeat": repeat, "done": calls, "seconds": update(calls)}
        for repeat in range(effort.repeats)
    ]


def _agent(case: Case, way: Way, device: Device) -> QLearner:
    """Learners whose updates are compiled and recorded as the way says."""
    with ExitStack() as stack:
        if not way.recorded:
            plain = mock.patch.object(compiling, "Recorded", lambda function: function)
            stack.enter_context(plain)
        if way.torchs_own:
            compiler = partial(torch.compile, mode=way.compiler)
            stack.enter_context(mock.patch.object(torch, "compile", compiler))
        agent = population(case, way.computation(device))
    if way.torchs_own:  # or torch refuses to make a graph
        for tensor in _changed(agent):
            torch._dynamo.mark_static_address(tensor)
    return agent


def _changed(agent: QLearner) -> Iterator[torch.Tensor]:
    """What an update changes in place."""
    for part in agent._parts.values():
        yield from (each for each in (part.weights, part.target) if each is not None)
    for optimizer in agent.optimizers().values():
        yield from optimizer.state().values()


def _forget(device: Device) -> None:
    """What was compiled and allocated for another population."""
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _wait(device: Device) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _used(device: Device) -> dict[str, str | int | float]:
    """Which GPU, how much of its memory, and how many graphs torch refused to make."""
    refused = torch._dynamo.utils.counters["inductor"]["cudagraph_skips"]
    if device == "cpu":
        return {"device": "none", "gibibytes": 0.0, "refused": refused}
    return {
        "device": torch.cuda.get_device_name(),
        "gibibytes": torch.cuda.max_memory_allocated() / 2**30,
        "refused": refused,
    }
