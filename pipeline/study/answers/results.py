"""Scores, compositions and theorems, read for whoever compares and shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors.numpy import load_file

from pipeline.study.errors import UserError
from pipeline.study.params.study import Study
from pipeline.study.store import layout
from pipeline.study.store.files import read_json, read_table
from pipeline.study.store.runs import Floats, Run
from pipeline.study.store.scores import Composition, Score


def load_scores(
    study: Study, runs: Sequence[Run], root: Path = layout.RUNS
) -> list[Score]:
    """The scores of all runs that were judged, in the order of the runs.

    Raises:
        UserError: A score is missing or damaged, or of other seeds.
    """
    scores = []
    for run in runs:
        if run.stage != "explore":
            continue
        folder = layout.score_folder(run.name, root)
        writer = layout.instance("score", run.name)
        with layout.readable(folder / layout.DESCRIBED, writer):
            oracles = read_json(folder / layout.DESCRIBED)["oracles"]
        if oracles is None:
            continue  # nothing to judge it by
        exact = _table(folder / layout.SCORES, writer, run.seeds) if oracles else {}
        robustness = {}
        if run.task.can_change:
            robustness = _table(folder / layout.ROBUSTNESS, writer, run.seeds)
        scores.append(Score(run, folder, exact, robustness))
    return scores


def load_compositions(study: Study, root: Path = layout.RUNS) -> list[Composition]:
    """Every composition of the study.

    Raises:
        UserError: One is missing or damaged, or of other seeds.
    """
    found = []
    for name, settings in study.compositions.items():
        folder = layout.composition_folder(name, root)
        seeds = study.seeds(study.runs("explore")[settings.first])
        writer = layout.instance("compose", name)
        final = _table(folder / layout.FINAL, writer, seeds)
        with layout.readable(folder / layout.SUMMARY, writer):
            summary = read_json(folder / layout.SUMMARY)
        said = settings.first, settings.second, settings.combine
        found.append(Composition(name, folder, *said, seeds, final, summary))
    return found


def load_hard_limit(
    study: Study, folder: Path = layout.THEOREMS
) -> Mapping[str, Floats] | None:
    """The demonstration of the limit α → 0, if the study shows the theorems.

    Raises:
        UserError: It is missing or damaged.
    """
    if study.theorems is None:
        return None
    with layout.readable(folder / layout.HARD_LIMIT, "theorems"):
        return load_file(folder / layout.HARD_LIMIT)


def _table(path: Path, writer: str, expected: tuple[int, ...]) -> dict[str, Floats]:
    with layout.readable(path, writer):
        table = read_table(path)
        seeds = tuple(int(seed) for seed in table.pop("seed"))
    if seeds != expected:
        raise UserError(
            f"{path} has seeds {list(seeds)}, the study {list(expected)}; "
            f"compute it again: dvc repro --force {writer}"
        )
    return table
