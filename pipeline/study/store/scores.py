"""How runs stand beside exact answers, and compositions: read, and as statistics.

A score belongs to a run of `explore`; its columns are `ORACLE/METRIC/PLACE` and
`PERTURBATION/METRIC`, one number per seed (`docs/metrics.md`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import load_file

from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.store.layout import BEHAVIOUR, instance, readable
from pipeline.study.store.runs import Floats, Run, same_temperature

DISTANCES: Final = ("reverse_kl", "forward_kl", "total_variation", "value_error")
"""What of a score is summarised."""
WITHSTOOD: Final = "success_of_any"
"""By what robustness is judged: starts from which any of the tries succeeds."""
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
        path = self.folder / BEHAVIOUR
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
        path = self.folder / BEHAVIOUR
        with readable(path, instance("compose", self.name)):
            return load_file(path)


# ---------------------------------------------------------------------- statistics


def summarise(
    scores: Sequence[Score], compositions: Sequence[Composition], bootstrap: Bootstrap
) -> dict[str, Any]:
    """What `metrics.json` says besides results of training: by stage, then by run."""
    explored: dict[str, Any] = {}
    for score in scores:
        entry: dict[str, Any] = {"robustness": _robustness(score, scores, bootstrap)}
        if score.exact:
            entry["exact"] = _nested(
                {
                    name: values
                    for name, values in score.exact.items()
                    if name.split("/")[1] in DISTANCES
                },
                f"score/{score.run.name}",
                bootstrap,
            )
        explored[score.run.name] = entry
    composed = {
        one.name: _nested(one.final, f"compose/{one.name}", bootstrap)
        | {"oracle": dict(one.summary)}
        for one in compositions
    }
    return {"explore": explored, "compose": composed}


def _nested(
    columns: Mapping[str, Floats], name: str, bootstrap: Bootstrap
) -> dict[str, Any]:
    """IQM and interval of every column, at the place that its name says."""
    result: dict[str, Any] = {}
    for column, values in columns.items():
        known = values[np.isfinite(values)]
        if known.size:
            *path, last = column.split("/")
            part = result
            for step in path:
                part = part.setdefault(step, {})
            interval = bootstrap.interquartile_mean(known, f"{name}/{column}")
            part[last] = {
                "iqm": interval.estimate,
                "low": interval.low,
                "high": interval.high,
                "seeds": known.size,
            }
    return result


def _robustness(
    score: Score, scores: Sequence[Score], bootstrap: Bootstrap
) -> dict[str, Any]:
    result = _nested(score.robustness, f"robustness/{score.run.name}", bootstrap)
    for perturbation, entry in result.items():
        against = {
            rival.run.id: asdict(better(score, rival, perturbation, bootstrap))
            for rival in rivals(score, scores)
        }
        if against:
            entry["probability_of_improvement"] = against
    return result


def rivals(score: Score, scores: Sequence[Score]) -> list[Score]:
    """Whom a run is measured against: DDPG, and SAC of the same temperature."""

    def is_rival(other: Score) -> bool:
        own, theirs = score.run, other.run
        if own.task_name != theirs.task_name or own.id == theirs.id:
            return False
        if theirs.algorithm.kind == "ddpg":
            return True
        return (
            (own.algorithm.kind, theirs.algorithm.kind) == ("sql", "sac")
            and own.swept == theirs.swept
            and (own.swept or same_temperature(own.temperature, theirs.temperature))
        )

    return [other for other in scores if is_rival(other)]


def better(
    score: Score, rival: Score, perturbation: str, bootstrap: Bootstrap
) -> Interval:
    """P(more starts are mastered than by the rival) in a perturbed task."""
    column = f"{perturbation}/{WITHSTOOD}"
    return bootstrap.probability_of_improvement(
        score.robustness[column],
        rival.robustness[column],
        f"{score.run.id}>{rival.run.id}/{column}",
    )
