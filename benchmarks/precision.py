"""Whether products in bfloat16 leave a MuJoCo task's statistics as they are.

    python -m benchmarks.precision float32      # and: bfloat16
    python -m benchmarks.precision compare

Trains the runs of `pretrain` in `params.yaml` with the numbers written there, ten seeds
side by side, and writes `benchmarks/results/precision_RUN_PRECISION.csv`. Without
hardware for it, bfloat16 is computed as `benchmarks/rounded.py` says. The same for
multigoal, beside the exact answer: `python -m benchmarks.ablation --seeds 10 --only
default,bfloat16 --results benchmarks/results/precision`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.ablation.variants import VARIANTS
from benchmarks.machine import machine
from benchmarks.patches import patched
from benchmarks.speed.rows import markdown, mean_interval
from pipeline.core.config.computation import PLAIN
from pipeline.core.job import Job
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
from pipeline.study.params.load import load_study
from pipeline.study.store.files import by_seed, read_table, write_csv

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SEEDS = tuple(range(200, 210))
"""Disjoint from those of the study and of its sweeps."""
PRECISIONS = ("float32", "bfloat16")
METRICS = ("return", "distance", "direction_spread")


def file(run: str, precision: str) -> Path:
    return RESULTS / f"precision_{run}_{precision}.csv"


def train(precision: str, device: str) -> None:
    """Train every run and write what became of each seed."""
    torch.set_num_threads(1)
    study = load_study(ROOT / "params.yaml")
    variant = VARIANTS["default" if precision == "float32" else precision]
    program = {"compile": "auto", "device": device, **variant.computation}
    for name, run in study.runs("pretrain").items():
        job = Job(
            task=study.tasks[run.task],
            algorithms=(study.algorithms[run.algorithm],) * len(SEEDS),
            seeds=SEEDS,
            steps=study.steps("pretrain", run),
            computation=PLAIN.model_copy(update=program),
        )
        with patched(variant.replaced):
            training = Training(job)
            for record in training:
                print(name, precision, record.step, file=sys.stderr, flush=True)
            final = finish(training).final
        columns = {metric: final[metric] for metric in METRICS}
        write_csv(file(name, precision), *by_seed(SEEDS, columns))


def difference(low: np.ndarray, exact: np.ndarray) -> str:
    """Mean difference on the same seed and its interval (Student's t)."""
    return "{:+.3g} [{:+.3g}, {:+.3g}]".format(*mean_interval(low - exact))


def compare() -> None:
    print(f"Measured on: {machine('torch', 'gymnasium', 'mujoco')}\n")
    runs = load_study(ROOT / "params.yaml").runs("pretrain")
    rows = []
    for run in runs:
        if missing := [kind for kind in PRECISIONS if not file(run, kind).exists()]:
            print(f"{run}: not trained in {' and '.join(missing)}", file=sys.stderr)
            continue
        exact, low = (read_table(file(run, precision)) for precision in PRECISIONS)
        for name in METRICS:
            means = [f"{values[name].mean():.3g}" for values in (exact, low)]
            rows.append([run, name, *means, difference(low[name], exact[name])])
    columns = ["run", "after training", *PRECISIONS, "difference [95 %]"]
    print("\n".join(markdown(columns, rows)))


def main(given: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision")
    parser.add_argument("what", choices=[*PRECISIONS, "compare"])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args(given)
    if options.what == "compare":
        compare()
    else:
        train(options.what, options.device)


if __name__ == "__main__":
    main(sys.argv[1:])
