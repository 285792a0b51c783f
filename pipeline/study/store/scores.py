"""How runs stand beside exact answers, and compositions.

A score belongs to a run of `explore`; its columns are `ORACLE/METRIC/PLACE` and
`PERTURBATION/METRIC`, one number per seed (`docs/metrics.md`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors.numpy import load_file

from pipeline.study.errors import UserError
from pipeline.study.params import Study
from pipeline.study.store.files import read_json, read_table
from pipeline.study.store.layout import (
    RUNS,
    composition_folder,
    instance,
    readable,
    score_folder,
)
from pipeline.study.store.runs import Floats, Run

JUDGED: Final = ("multigoal", "linear_quadratic")
"""Kinds of tasks that have exact answers."""
WITHSTOOD: Final = "success_of_any"
"""By what robustness is judged: success within all attempts of a start."""
UNCHANGED: Final = "unchanged"
"""The task as it was learned, among the perturbed ones."""


@dataclass(frozen=True)
class Score:
    """A run beside exact answers and in tasks not quite its own."""

    run: Run
    folder: Path
    exact: Mapping[str, Floats]
    robustness: Mapping[str, Floats]

    @property
    def oracles(self) -> list[str]:
        """Which it was compared with."""
        return list(dict.fromkeys(name.split("/")[0] for name in self.exact))

    @property
    def places(self) -> list[str]:
        """Where it was compared."""
        return list(dict.fromkeys(name.split("/")[2] for name in self.exact))

    @property
    def perturbations(self) -> list[str]:
        """The tasks it was tried in, its own first."""
        return list(dict.fromkeys(name.split("/")[0] for name in self.robustness))

    def behaviour(self) -> dict[str, Floats]:
        """Masses of actions and episodes, for figures."""
        path = self.folder / "behaviour.safetensors"
        with readable(path, instance("score", self.run.name)):
            return load_file(path)


@dataclass(frozen=True)
class Composition:
    """A sampler for two soft Q-functions together."""

    name: str
    folder: Path
    first: str
    second: str
    combine: str
    seeds: tuple[int, ...]
    final: Mapping[str, Floats]
    summary: Mapping[str, float]
    """Of the combined task's oracle, and the bound."""

    def behaviour(self) -> dict[str, Floats]:
        """Masses of actions and episodes, for figures."""
        path = self.folder / "behaviour.safetensors"
        with readable(path, instance("compose", self.name)):
            return load_file(path)


def load_scores(study: Study, runs: Sequence[Run], root: Path = RUNS) -> list[Score]:
    """The scores of all runs that have one, in the order of the runs.

    Raises:
        UserError: A score is missing or damaged, or of other seeds.
    """
    scores = []
    for run in runs:
        if run.stage == "explore" and run.task.kind in JUDGED:
            folder, writer = score_folder(run.name, root), instance("score", run.name)
            with readable(folder / "run.json", writer):
                compared = bool(read_json(folder / "run.json")["oracles"])
            exact = _table(folder / "scores.csv", writer, study) if compared else {}
            changed = run.task.kind == "multigoal"
            robustness = (
                _table(folder / "robustness.csv", writer, study) if changed else {}
            )
            scores.append(Score(run, folder, exact, robustness))
    return scores


def load_compositions(study: Study, root: Path = RUNS) -> list[Composition]:
    """Every composition of the study.

    Raises:
        UserError: One is missing or damaged, or of other seeds.
    """
    found = []
    for name, settings in study.compose.runs.items():
        folder, writer = composition_folder(name, root), instance("compose", name)
        final = _table(folder / "final.csv", writer, study)
        with readable(folder / "summary.json", writer):
            summary = read_json(folder / "summary.json")
        found.append(
            Composition(
                name,
                folder,
                settings.first,
                settings.second,
                settings.combine,
                tuple(sorted(study.study.seeds)),
                final,
                summary,
            )
        )
    return found


def _table(path: Path, writer: str, study: Study) -> dict[str, Floats]:
    with readable(path, writer):
        table = read_table(path)
        seeds = [int(seed) for seed in table.pop("seed")]
    if set(seeds) != set(study.study.seeds):
        raise UserError(
            f"{path} has seeds {seeds}, the study {list(study.study.seeds)}; "
            f"compute it again: dvc repro --force {writer}"
        )
    return table
