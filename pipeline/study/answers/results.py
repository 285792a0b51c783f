"""Scores and compositions of a study, read for whoever compares and shows them."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.study.errors import UserError
from pipeline.study.params.study import Study
from pipeline.study.store.files import read_json, read_table
from pipeline.study.store.layout import (
    DESCRIBED,
    FINAL,
    ROBUSTNESS,
    RUNS,
    SCORES,
    SUMMARY,
    composition_folder,
    instance,
    readable,
    score_folder,
)
from pipeline.study.store.runs import Floats, Run
from pipeline.study.store.scores import Composition, Score


def load_scores(study: Study, runs: Sequence[Run], root: Path = RUNS) -> list[Score]:
    """The scores of all runs that were judged, in the order of the runs.

    Raises:
        UserError: A score is missing or damaged, or of other seeds.
    """
    scores = []
    for run in runs:
        if run.stage != "explore":
            continue
        folder, writer = score_folder(run.name, root), instance("score", run.name)
        with readable(folder / DESCRIBED, writer):
            oracles = read_json(folder / DESCRIBED)["oracles"]
        if oracles is None:
            continue  # nothing to judge it by
        exact = _table(folder / SCORES, writer, study) if oracles else {}
        robustness = {}
        if run.task.can_change:
            robustness = _table(folder / ROBUSTNESS, writer, study)
        scores.append(Score(run, folder, exact, robustness))
    return scores


def load_compositions(study: Study, root: Path = RUNS) -> list[Composition]:
    """Every composition of the study.

    Raises:
        UserError: One is missing or damaged, or of other seeds.
    """
    found = []
    for name, settings in study.compositions.items():
        folder, writer = composition_folder(name, root), instance("compose", name)
        final = _table(folder / FINAL, writer, study)
        with readable(folder / SUMMARY, writer):
            summary = read_json(folder / SUMMARY)
        found.append(
            Composition(
                name,
                folder,
                settings.first,
                settings.second,
                settings.combine,
                study.study.seeds,
                final,
                summary,
            )
        )
    return found


def _table(path: Path, writer: str, study: Study) -> dict[str, Floats]:
    with readable(path, writer):
        table = read_table(path)
        seeds = tuple(int(seed) for seed in table.pop("seed"))
    if seeds != study.study.seeds:
        raise UserError(
            f"{path} has seeds {list(seeds)}, the study {list(study.study.seeds)}; "
            f"compute it again: dvc repro --force {writer}"
        )
    return table
