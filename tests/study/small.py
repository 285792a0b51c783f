"""The small study with made-up results, read once for all tests that only read."""

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.study.answers.results import load_compositions, load_scores
from pipeline.study.claims.base import Evidence
from pipeline.study.params.study import Study
from pipeline.study.statistics.bootstrap import Bootstrap
from pipeline.study.store.runs import Run
from pipeline.study.store.scores import Score
from pipeline.study.training.results import load_runs
from tests.study.synthetic import small_study

BOOTSTRAP = Bootstrap(seed=7, resamples=200, confidence=0.95)


@dataclass(frozen=True)
class Small:
    root: Path
    study: Study
    evidence: Evidence

    def run(self, id: str) -> Run:
        (found,) = [run for run in self.evidence.runs if run.id == id]
        return found

    def score(self, name: str) -> Score:
        (found,) = [one for one in self.evidence.scores if one.run.name == name]
        return found


@cache
def small() -> Small:
    root = Path(tempfile.mkdtemp())
    study, folder = small_study(root), root / "results/runs"
    runs = load_runs(study, folder)
    scores = load_scores(study, runs, folder)
    evidence = Evidence(runs, scores, load_compositions(study, folder), BOOTSTRAP)
    return Small(root, study, evidence)


def with_final(run: Run, changed: dict[str, Any]) -> Run:
    """The run with some of its final numbers replaced."""
    other = replace(run)
    vars(other)["final"] = {**run.final, **changed}
    return other
