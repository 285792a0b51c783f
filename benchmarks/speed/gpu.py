"""Populations on a GPU (P5): updates of every size, precision and way of launching.

    python -m benchmarks.speed gpu

Every way of computing has a fresh process, alone on the GPU, whose populations draw
their own noise there. The quickest to start come first.
"""

import gc
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, product
from statistics import median
from typing import Literal
from unittest import mock

from benchmarks.speed.contest import Effort, apart
from benchmarks.speed.necessary import flops, products
from benchmarks.speed.rows import Row, groups, markdown, rates, spread
from benchmarks.speed.subject import BATCHES, Case, Learner, batches, population
from pipeline.core.config.computation import Computation
from pipeline.core.memory.replay import Batch

MEMBERS = (1, 8, 64, 256, 512)
LEARNERS: Mapping[Learner, int] = {"sac": 256, "sql": 128}
"""With how many units in both layers."""
BATCH = 256
WARMING_CALLS = 8
"""Compilation and recording among them."""
NOISE_BLOCK = 64
"""Updates whose random numbers are drawn together: whole blocks are timed."""


@dataclass(frozen=True)
class Way:
    """How a GPU computes an update."""

    compiled: bool
    recorded: bool
    """Whether its kernels are launched together (a CUDA graph)."""
    precision: Literal["float32", "TF32", "bfloat16"]

    @property
    def computation(self) -> Computation:
        """As the core has it; TF32 is a switch of torch."""
        return Computation(
            device="cuda",
            precision="bfloat16" if self.precision == "bfloat16" else "float32",
            compile="always" if self.compiled else "never",
        )


WAYS = (
    Way(False, False, "float32"),
    Way(False, True, "float32"),
    Way(True, True, "float32"),
    Way(True, True, "TF32"),
    Way(True, True, "bfloat16"),
)


def run(learner: Learner, way: Way, effort: Effort) -> list[Row]:
    """Seconds of updates of every population, in this process."""
    import torch

    if way.precision == "TF32":
        torch.set_float32_matmul_precision("high")
    labels = {**asdict(way), "device": torch.cuda.get_device_name()}
    rows: list[Row] = []
    for members in MEMBERS:
        case = Case(learner, members, LEARNERS[learner], BATCH)
        measured = enumerate(_updating(case, way, effort))
        rows += [
            {**asdict(case), **labels, "repeat": repeat, **row}
            for repeat, row in measured
        ]
    return rows


def _updating(case: Case, way: Way, effort: Effort) -> list[dict[str, float]]:
    import torch

    from pipeline.core.population import compiling

    torch._dynamo.reset()
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    launching = compiling.Recorded if way.recorded else (lambda function: function)
    with mock.patch.object(compiling, "Recorded", launching):
        agent = population(case, way.computation)
    drawn = [Batch(*(part.cuda() for part in batch[:5])) for batch in batches(case)]
    indices = iter(range(10**9))

    def update(calls: int) -> float:
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for index in islice(indices, calls):
            agent.update(drawn[index % BATCHES], index=index)
        torch.cuda.synchronize()
        return time.perf_counter() - begin

    update(WARMING_CALLS)
    calls = max(NOISE_BLOCK, round(effort.seconds * 8 / update(8)))
    gibibytes = torch.cuda.max_memory_allocated() / 2**30
    return [
        {"done": calls, "seconds": update(calls), "gibibytes": gibibytes}
        for _ in range(effort.repeats)
    ]


def measure(effort: Effort) -> Iterator[list[Row]]:
    """Seconds of updates, one way of computing after the other.

    Raises:
        SystemExit: There is no GPU.
    """
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("needed: a GPU, and a build of torch for it")
    for learner, way in product(LEARNERS, WAYS):
        print(learner, way, file=sys.stderr, flush=True)
        yield apart(run, learner, way, effort)


def lines(rows: Sequence[Row]) -> Iterator[str]:
    yield f"GPU: {rows[0]['device']}.\n"
    keys = ("learner", "members", "width", "compiled", "recorded", "precision")
    columns = ["learner", "units", "members", "program", "precision"]
    columns += ["an update, ms", "member-updates/s", "necessary TFLOP/s", "GiB"]
    yield from markdown(columns, (_row(own) for own in groups(rows, *keys).values()))


def _row(rows: Sequence[Row]) -> list[str]:
    first, found = rows[0], rates(rows)
    case = Case.of(first)
    program = "compiled" if str(first["compiled"]) == "True" else "eager"
    if str(first["recorded"]) == "True":
        program += ", CUDA graph"
    return [
        case.learner,
        f"2×{case.width}",
        str(case.members),
        program,
        str(first["precision"]),
        spread([1e3 / rate for rate in found]),
        spread([case.members * rate for rate in found]),
        f"{flops(products(case)) * median(found) / 1e12:.3g}",
        f"{float(first['gibibytes']):.1f}",
    ]
