"""The files of a run: everything it measured, its policies and what they do.

Their bytes depend on nothing but the run: no time, machine or path is in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from pipeline.core.job import Array, Job, Result
from pipeline.core.training.weights import policy_bytes
from pipeline.study.store.files import atomic_write, write_arrays, write_csv, write_json
from pipeline.study.store.layout import (
    BEHAVIOUR,
    DESCRIBED,
    FAILURES,
    FINAL,
    RECORDS,
    WEIGHTS,
)

Parts: TypeAlias = Sequence[tuple[Job, Result]]
"""Chunks of a population and what came out of them."""
FAILED: Final = ("seed", "step", "reason")
_Table: TypeAlias = tuple[list[str], list[list[float | None]]]


def write_run(folder: Path, described: Mapping[str, object], parts: Parts) -> None:
    """Write the files of a run; chunks, in order, become one population again.

    `described` is what `run.json` says.
    """
    jobs, results = zip(*parts, strict=True)
    write_json(folder / DESCRIBED, described)
    write_csv(folder / RECORDS, *_records(parts))
    write_csv(folder / FINAL, *_final(parts))
    if failed := list(_failures(parts)):
        write_csv(folder / FAILURES, FAILED, failed)
    seeds = [seed for job in jobs for seed in job.seeds]
    weights = policy_bytes(
        jobs[0].task,
        [algorithm for job in jobs for algorithm in job.algorithms],
        seeds,
        _joined([result.weights for result in results]),
        states=results[0].states,
        actions=results[0].actions,
    )
    atomic_write(folder / WEIGHTS, weights)
    behaviour = _joined([result.behaviour for result in results])
    if "probe_actions" in behaviour:
        states = jobs[0].task.probes
        assert states is not None
        behaviour["probe_states"] = states
    if behaviour:
        write_arrays(folder / BEHAVIOUR, behaviour, {"seeds": seeds})


def _records(parts: Parts) -> _Table:
    """A row for every seed and step."""
    names = sorted(
        {name for _, r in parts for rec in r.records for name in rec.metrics}
    )
    rows = [
        [
            seed,
            record.step,
            *(
                record.metrics[name][member] if name in record.metrics else None
                for name in names
            ),
        ]
        for job, result in parts
        for member, seed in enumerate(job.seeds)
        for record in result.records
    ]
    return ["seed", "step", *names], rows


def _final(parts: Parts) -> _Table:
    """A row for every seed: the evaluation after training."""
    names = sorted(parts[0][1].final)
    rows: list[list[float | None]] = [
        [seed, *(result.final[name][member] for name in names)]
        for job, result in parts
        for member, seed in enumerate(job.seeds)
    ]
    return ["seed", *names], rows


def _failures(parts: Parts) -> Iterator[tuple[int, int, str]]:
    """A row for every seed that has failed."""
    for job, result in parts:
        for member, failure in sorted(result.failures.items()):
            yield job.seeds[member], failure.step, failure.reason


def _joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Arrays of all chunks, along the member axis."""
    return {
        name: np.ascontiguousarray(_concatenated([part[name] for part in parts]))
        for name in parts[0]
    }


def _concatenated(arrays: Sequence[Array]) -> Array:
    """Members one after the other; what is shorter in time has NaN at its end.

    The positions of a chunk reach as far as its longest episode.
    """
    if len({array.shape[1:] for array in arrays}) == 1:
        return np.concatenate(arrays)
    longest = max(array.shape[2] for array in arrays)
    padded = []
    for array in arrays:
        widths = [(0, 0)] * array.ndim
        widths[2] = (0, longest - array.shape[2])
        padded.append(np.pad(array, widths, constant_values=np.nan))
    return np.concatenate(padded)
