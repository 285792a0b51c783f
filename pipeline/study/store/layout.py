"""Where the results of a study lie, and what its parts are called.

The names are in files, in MLflow and in messages to the user; they are spelled here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from ruamel.yaml.error import YAMLError
from safetensors import SafetensorError

from pipeline.study.errors import UserError

StageName: TypeAlias = Literal["explore", "pretrain", "finetune", "scratch"]
STAGES: Final[tuple[StageName, ...]] = get_args(StageName)
"""The stages that train, in the order of `params.yaml`."""
TO_THRESHOLD: Final[tuple[StageName, ...]] = ("finetune", "scratch")
"""Those of which it is asked how many steps a threshold return takes."""

CHECKED: Final = Path("results/check")
"""What `params.yaml` says to each stage instance, and the code that it runs."""
STUDY: Final = CHECKED / "study.json"
"""The whole of `params.yaml`, for stages that depend on all of it."""
SOURCE: Final = CHECKED / "params.sha256"
"""Of which `params.yaml` these descriptions are."""
RUNS: Final = Path("results/runs")
"""Every run in `<stage>/<run>/`."""
ORACLES: Final = Path("results/exact/oracles")
"""Every exact solution in `<oracle>/`."""
THEOREMS: Final = Path("results/exact/theorems")
"""A file of arrays for each demonstration."""
HARD_LIMIT: Final = "hard_limit.safetensors"
"""Of them the one of the limit α → 0."""
SWEEPS: Final = Path("results/sweep")
"""Every sweep in `<algorithm>/`: `best.yaml`, and `trials/`."""
COMPARED: Final = Path("results/compare")
"""Statistics and claims."""
REPORTED: Final = Path("results/report")
"""The page, and every figure in `figures/`."""
TABLES: Final = REPORTED / "tables"
"""Every table of the page in Markdown, in `<name>.md`."""

DESCRIBED: Final = "run.json"
"""In the folder of a result: what it is of."""
RECORDS: Final = "records.csv"
"""What was measured in the course of training."""
FINAL: Final = "final.csv"
"""The evaluation after training, a row for each seed."""
FAILURES: Final = "failures.csv"
"""Seeds that have failed, and why; there is no such file if none has."""
ORACLE: Final = "oracle.safetensors"
"""V* on a grid, and episodes of its policy."""
SUMMARY: Final = "summary.json"
"""What is known of an exact answer."""
WEIGHTS: Final = "weights.safetensors"
"""Trained policies."""
BEHAVIOUR: Final = "behaviour.safetensors"
"""What policies do, for figures."""
TRIALS: Final = "trials.csv"
"""What a sweep tried."""
CURVES: Final = "curves.csv"
"""What its trials had while they were trained."""
FRESH: Final = "fresh.csv"
"""What the best trial's setting is worth on fresh seeds, a row for each."""
SCORES: Final = "scores.csv"
"""Distances from exact answers, a row for each seed."""
ROBUSTNESS: Final = "robustness.csv"
"""What policies do in changed tasks, a row for each seed."""


def description_file(stage: str, run: str, checked: Path = CHECKED) -> Path:
    """What `params.yaml` says to one stage instance."""
    return checked / stage / f"{run}.json" if run else checked / f"{stage}.json"


def code_file(stage: str, checked: Path = CHECKED) -> Path:
    """The code that a stage runs, file by file."""
    return checked / "code" / f"{stage}.txt"


def best_file(algorithm: str, sweeps: Path = SWEEPS) -> Path:
    """The configuration that the sweep of an algorithm chose."""
    return sweeps / algorithm / "best.yaml"


def score_folder(run: str, runs: Path = RUNS) -> Path:
    """How a run of `explore` stands beside exact answers."""
    return runs / "score" / run


def composition_folder(name: str, runs: Path = RUNS) -> Path:
    """What came out of a composition."""
    return runs / "compose" / name


def instance(stage: str, run: str) -> str:
    """`explore@sql`, or `compare` for a stage with one instance: DVC's name for it."""
    return f"{stage}@{run}" if run else stage


def picture_name(stage: str, run: str) -> str:
    """`explore_sql`: the figure that shows this run alone."""
    return f"{stage}_{run}" if run else stage


def panel_name(stage: str, task: str) -> str:
    """`explore_multigoal`: what shows the runs of a stage on one task together."""
    return f"{stage}_{task}"


def part_name(name: str, part: str | int) -> str:
    """`explore_multigoal-goals`: one of several that would have one name.

    No name in `params.yaml` has a hyphen: tasks `a` and `a_goals` do not meet.
    """
    return f"{name}-{part}"


def picture_file(name: str) -> Path:
    """Where a figure is."""
    return REPORTED / "figures" / f"{name}.png"


def trial_child(trial: int | str) -> str:
    """`trial 12`: the run of a trial below that of its sweep."""
    return f"trial {trial}"


def trial_title(trial: int | str, params: Mapping[str, object]) -> str:
    """`trial 12 · learning_rate.q 0.00123`: a trial with what it tried."""
    tried = [f"{name} {_short(value)}" for name, value in params.items()]
    return " · ".join([trial_child(trial), *tried])


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


FRESH_CHILD: Final = "fresh seeds"
"""The run of the best trial on fresh seeds, below that of its sweep."""


def seed_child(seed: int) -> str:
    """`seed 3`: the run of a seed below that of its population."""
    return f"seed {seed}"


@contextmanager
def readable(path: Path, writer: str) -> Iterator[None]:
    """Turn whatever is wrong with a file of results into one line that mends it.

    `writer` is the stage instance that writes what is read meanwhile.

    Raises:
        UserError: The file is not there, or cannot be what the stage wrote.
    """
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path} is missing; compute it: dvc repro {writer}") from None
    except (ValueError, LookupError, TypeError, YAMLError, SafetensorError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:100]
        raise UserError(
            f"{path} is damaged ({reason}); "
            f"restore it: dvc checkout --force {path}, "
            f"or compute it again: dvc repro {writer}"
        ) from None
