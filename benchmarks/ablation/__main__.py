"""What each part of soft Q-learning is worth: variants with one switch changed.

    python -m benchmarks.ablation > ablation.md       # hours; goes on where it stopped
    python -m benchmarks.ablation --only lower_of_two,paper --temperature 10
    python -m benchmarks.ablation --list

Trains `sql_multigoal` of `params.yaml` and the variants of `variants.py` on
`multigoal`, each on the same seeds as one population, and compares what was learned
with the exact answer. Writes `benchmarks/results/ablation_TEMPERATURE_VARIANT.csv`,
whose first line is a comment with all settings: a file with the present settings is not
made again; delete what changed sources make differently. Prints tables of all such
files; progress goes to standard error.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from benchmarks.ablation.measure import Work, measure
from benchmarks.ablation.tables import Measured, tables
from benchmarks.ablation.variants import VARIANTS
from benchmarks.machine import machine
from pipeline.core.agents.settings import Sql
from pipeline.core.exact.grid import GridOracle
from pipeline.core.tasks.multigoal.arena import Arena
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.params.load import load_study

TASK = "multigoal"
FIRST_SEED = 200
"""Disjoint from the seeds of the study and of its sweeps: what is chosen by looking at
this table is not chosen by looking at them."""
ROOT = Path(__file__).parents[2]


def code() -> str:
    """Digest of the sources that numbers come from."""
    files = [
        *ROOT.glob("pipeline/core/**/*.py"),
        *ROOT.glob("benchmarks/ablation/*.py"),
    ]
    text = b"".join(path.read_bytes() for path in sorted(files))
    return sha256(text).hexdigest()[:12]


def works(options: argparse.Namespace) -> Iterator[Work]:
    """Every variant of the default that is something else than the default."""
    study = load_study(options.params)
    task, algorithm = study.tasks[TASK], study.algorithms[options.algorithm]
    assert isinstance(task, MultiGoal)
    assert study.exact is not None
    assert study.score is not None
    default = algorithm.with_temperature(options.temperature)
    assert isinstance(default, Sql)
    evaluation = task.evaluation.model_copy(update={"final_episodes": options.episodes})
    task = task.model_copy(update={"evaluation": evaluation})
    oracle = GridOracle.solve(
        Arena.of(task),
        options.temperature,
        discount=task.discount,
        spacing=study.exact.spacing,
    )
    digest = code()
    for name, variant in VARIANTS.items():
        config = variant.config(default)
        otherwise = variant.replaced or variant.computation
        if name != "default" and not otherwise and config == default:
            told(f"{name}: left out, the default is like that")
            continue
        if config.warmup >= options.steps:
            if options.only == list(VARIANTS):
                told(f"{name}: left out, its warm-up is not below --steps")
                continue
            if name in options.only:
                sys.exit(
                    f"{name} makes no update: its warm-up of {config.warmup} steps is "
                    f"not below --steps {options.steps}"
                )
        yield Work(
            variant=name,
            task=task,
            algorithm=config,
            seeds=tuple(range(FIRST_SEED, FIRST_SEED + options.seeds)),
            steps=options.steps,
            oracle=oracle,
            draws=study.score.draws,
            cells=study.score.cells,
            code=digest,
            device=options.device,
        )


def told(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=4000, help="after training")
    parser.add_argument(
        "--temperature", type=lambda text: float(Fraction(text)), default=10 / 3
    )
    parser.add_argument("--only", metavar="NAME[,NAME]", help="what to train")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--processes", type=int, default=2, help="of one thread each")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--algorithm", default="sql_multigoal", help="in --params")
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args(given)
    options.only = options.only.split(",") if options.only else list(VARIANTS)
    if options.seeds < 2:
        parser.error("--seeds must be at least 2: intervals are over seeds")
    if unknown := set(options.only) - set(VARIANTS):
        parser.error(f"no variant {', '.join(unknown)}; --list says which there are")
    return options


def main(given: list[str]) -> None:
    options = arguments(given)
    if options.list:
        for name, variant in VARIANTS.items():
            print(f"{name:20} {variant.says}")
        return
    options.results.mkdir(parents=True, exist_ok=True)
    paths = {
        work.variant: (
            work,
            options.results / f"ablation_{options.temperature:.3g}_{work.variant}.csv",
        )
        for work in works(options)
    }
    missing = [
        (work, path)
        for work, path in paths.values()
        if work.variant in options.only and Measured.read(path, work.settings) is None
    ]
    spawn = multiprocessing.get_context("spawn")
    failed = False
    with ProcessPoolExecutor(
        options.processes,
        mp_context=spawn,
        max_tasks_per_child=1,  # graphs are kept by the function that they are of
    ) as pool:
        futures = {pool.submit(measure, work): (work, path) for work, path in missing}
        for future in as_completed(futures):
            work, path = futures[future]
            if error := future.exception():
                failed = True
                told(f"{work.variant} failed: {error!r}")
                continue
            future.result().write(path)
            told(f"{work.variant}: {future.result().seconds:.0f} s of training")
    found = {
        name: measured
        for name, (work, path) in paths.items()
        if (measured := Measured.read(path, work.settings)) is not None
    }
    print(f"Measured on: {machine('torch', 'numpy')}\n")
    print("\n".join(tables(found, code=code())))
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
