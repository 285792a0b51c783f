"""The claims of Haarnoja et al. 2018, arXiv:1801.01290: returns on standard tasks."""

from collections.abc import Iterator
from typing import Final

from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.core.tasks.kind import Kind
from pipeline.study.claims.base import Claim, Evidence, improvement
from pipeline.study.claims.rules import Published, of_improvement
from pipeline.study.store.runs import Run

FIGURE: Final = "Haarnoja et al. 2018, arXiv:1801.01290, Figure 1"
CURVES: Final = Published("no number there, curves of returns")
TASKS: Final = ("Hopper", "Walker2d", "HalfCheetah", "Ant", "Humanoid")
"""Those of the figure, in whatever version of Gymnasium's."""
COMPARED: Final = {"ddpg": "DDPG", "sql": "soft Q-learning"}
"""Whom soft actor-critic is compared with there, as far as they are learners here."""


def claims(evidence: Evidence) -> Iterator[Claim]:
    """Every claim that the study has runs of `explore` for."""
    explored = [
        run for run in evidence.runs if run.stage == "explore" and _is_there(run.task)
    ]
    for run in (run for run in explored if run.algorithm.kind == "sac"):
        for other in explored:
            if other.task_name == run.task_name and other.algorithm.kind in COMPARED:
                yield _higher_return(evidence, (run, other))


def _is_there(task: Kind) -> bool:
    return isinstance(task, Gymnasium) and task.id.split("-")[0] in TASKS


def _higher_return(evidence: Evidence, sides: tuple[Run, Run]) -> Claim:
    """Of final returns; how large one is as a share of the other is said beside it."""
    x, y = (run.final["return"] for run in sides)
    ids = [run.id for run in sides]
    interval = improvement(evidence, sides, x, y, f"{ids[0]}>{ids[1]}/return")
    statistic, name = "P(return higher)", COMPARED[sides[1].algorithm.kind]
    means = [
        evidence.bootstrap.interquartile_mean(values, f"{id}/return")
        for id, values in zip(ids, (x, y), strict=True)
    ]
    measured = (
        f"{statistic} = {interval.text()}; "
        f"return {means[0].text()} against {means[1].text()}"
    )
    if min(x.min(), y.min()) > 0:
        ratio = evidence.bootstrap.ratio(y, x, f"{ids[1]}/{ids[0]}/return")
        measured += f", {ratio.text()} of it"
    return evidence.claim(
        FIGURE,
        f"Soft actor-critic has a higher return than {name}.",
        of_improvement([interval], sides, statistic),
        sides,
        published=CURVES,
        measured=measured,
    )
