"""The sections of the page about exact answers, changed tasks and compositions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from safetensors.numpy import load_file

from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.study.answers.results import load_compositions, load_scores
from pipeline.study.params.study import Study
from pipeline.study.report import exact_tables
from pipeline.study.report.figures import exact, theory
from pipeline.study.report.figures.album import Picture
from pipeline.study.report.figures.style import describe
from pipeline.study.report.section import Section
from pipeline.study.store.files import read_json
from pipeline.study.store.layout import (
    ORACLES,
    THEOREMS,
    instance,
    picture_name,
    readable,
)
from pipeline.study.store.runs import Run, same_temperature
from pipeline.study.store.scores import (
    Composition,
    Score,
)

MOST_OF_A_KIND: Final = 2
"""Runs of one algorithm beside the exact answer in one figure."""

THEORY: Final = (
    "Where the theorems of the papers are about finite processes, they are computed, "
    "and checked by the tests. Here they are drawn for a grid world with two equally "
    "good ways, a gamble, and gradients on a table and on a small network."
)
AGAINST: Final = (
    "A task in the plane is solved by soft value iteration on a grid, so that it is "
    "known what a learner should have learned; a linear system with quadratic costs "
    "has its answer in closed form. KL is the divergence from the learned "
    "to the exact distribution of actions, between the masses of equal cells, in "
    "nats; a value error is relative to V*. A learner without a temperature is "
    "compared with every oracle of its task. The best single Gaussian is the closest "
    "squashed Gaussian with independent axes that a numerical search finds in each "
    "place by itself."
)
ROBUST: Final = (
    "The trained policies act in tasks that they have not learned: half of the goals "
    "are gone, walls stand in the straight way, the state is pushed. A start is "
    "mastered if one of {tries} tries ends in a goal; the tries of a start begin "
    "alike."
)
COMPOSED: Final = (
    "Two soft Q-functions, learned apart, become one policy: their average or sum "
    "stays as it is, and a fresh sampler learns to draw from it, without a step in an "
    "environment. It is compared with the exact answer to the combined task."
)


def exact_sections(
    study: Study, runs: Sequence[Run], metrics: Mapping[str, Any]
) -> Iterator[Section]:
    """Every section that the study has results for."""
    yield _theory(study)
    scores = load_scores(study, runs)
    compared = [score for score in scores if score.exact]
    if study.oracles:
        yield _against(study, compared, metrics)
    by_task: dict[str, list[Score]] = {}
    for score in (score for score in scores if score.robustness):
        by_task.setdefault(score.run.task_name, []).append(score)
    for task_name, alike in by_task.items():
        yield _robustness(study, task_name, alike, metrics)
    if composed := load_compositions(study):
        yield _composition(study, composed, runs, metrics)


def _theory(study: Study) -> Section:
    shown = {}
    for path in sorted(THEOREMS.glob("*.safetensors")):
        with readable(path, "theorems"):
            shown[path.stem] = load_file(path)
    with readable(THEOREMS, "theorems"):
        pictures = [
            Picture(
                picture_name("theorems", ""),
                "Dashed: what the theorem promises. Above: soft Q-iteration from Q = 0 "
                "on the grid world; its limit α → 0; soft policy iteration from the "
                "uniform policy at the highest temperature. Below: a gamble that wins "
                f"with probability {study.theorems.gamble.probability:g}; both sides "
                "of the identity for random values, policies and targets; the variance "
                "of REINFORCE, by counting every episode.",
                theory.theorems(shown),
            ),
            Picture(
                "theorems_two_ways",
                "Expected discounted visits of the optimal policy on the way from the "
                "left to the right; arrows are as long as moves are probable. The hard "
                "limit takes the first of two equally good moves.",
                theory.two_ways(shown["grid_policies"]),
            ),
            Picture(
                "theorems_q_over_temperature",
                "The optimal soft Q of the four moves at the start, over temperatures; "
                "dashed: the hard limit α → 0. Lines on top of each other are equally "
                "good moves, or nearly so.",
                theory.q_over_temperature(shown["hard_limit"]),
            ),
        ]
    return Section("theory", "Theory", THEORY, None, pictures, [])


def _against(
    study: Study, scores: Sequence[Score], metrics: Mapping[str, Any]
) -> Section:
    pictures, more = [], []
    for name, settings in study.oracles.items():
        beside = _some([score for score in scores if name in score.oracles])
        if beside:
            pictures.append(
                Picture(
                    f"exact_{name}_beside",
                    f"Densities of actions in some places of {settings.task} at "
                    f"α = {settings.temperature:.3g}, for the exact policy and the "
                    "first seed of each run; shades of a row are of one scale.",
                    exact.side_by_side(beside, name),
                )
            )
        if (picture := _oracle(study, name)) is not None:
            more.append(picture)
    found = summaries(study)
    table = exact_tables.distances(scores, metrics, found) if scores else None
    solved = exact_tables.oracles(study, found)
    return Section(
        "exact", "Against the exact answer", AGAINST, table, pictures, more, solved
    )


def _some(scores: Sequence[Score]) -> list[Score]:
    """The first few of every algorithm."""
    counts: Counter[str] = Counter()
    chosen = []
    for score in scores:
        kind = score.run.algorithm.kind
        counts[kind] += 1
        if counts[kind] <= MOST_OF_A_KIND:
            chosen.append(score)
    return chosen


def summaries(study: Study) -> dict[str, dict[str, float]]:
    """What is known of every exact answer, by its name."""
    found = {}
    for name in study.oracles:
        path = ORACLES / name / "summary.json"
        with readable(path, instance("exact", name)):
            found[name] = read_json(path)
    return found


def _oracle(study: Study, name: str, root: Path = ORACLES) -> Picture | None:
    settings = study.oracles[name]
    task = study.tasks[settings.task]
    if not isinstance(task, MultiGoal):
        return None
    path = root / name / "oracle.safetensors"
    with readable(path, instance("exact", name)):
        data = load_file(path)
    title = f"{settings.task}, α = {settings.temperature:.3g}"
    return Picture(
        picture_name("exact", name),
        f"{title} (exact/{name}): the soft-optimal value, episodes and actions.",
        exact.oracle(data, task, title),
    )


def _robustness(
    study: Study,
    task_name: str,
    scores: Sequence[Score],
    metrics: Mapping[str, Any],
) -> Section:
    pictures = [
        Picture(
            f"robustness_{task_name}_{index}",
            "First tries of the first seed, in the task as it was learned and as it is "
            "changed, with the share of starts that are mastered; colours are goals, "
            "grey ends nowhere.",
            exact.changed_tasks(group, study.perturbations),
        )
        for index, group in enumerate(_groups(scores))
    ]
    alone = [
        Picture(
            picture_name("score", score.run.name),
            f"{describe(score.run)} ({score.run.id}): actions beside the exact ones, "
            "and first tries in changed tasks.",
            exact.judged(score, study.perturbations),
        )
        for score in scores
    ]
    assert study.score is not None
    introduction = ROBUST.format(tries=study.score.robustness.attempts)
    return Section(
        f"robustness_{task_name}",
        f"Robustness: {task_name}",
        introduction,
        exact_tables.changed_tasks(scores, metrics),
        pictures[:1],
        pictures[1:] + alone,
    )


def _groups(scores: Sequence[Score]) -> list[list[Score]]:
    """Runs of one temperature together, each with those that have none."""
    without = [score for score in scores if score.run.temperature is None]
    groups: list[list[Score]] = []
    for score in scores:
        if score.run.temperature is None:
            continue
        for group in groups:
            if same_temperature(group[0].run.temperature, score.run.temperature):
                group.append(score)
                break
        else:
            groups.append([score])
    return [group + without for group in groups] or [without]


def _composition(
    study: Study,
    composed: Sequence[Composition],
    runs: Sequence[Run],
    metrics: Mapping[str, Any],
) -> Section:
    by_id = {run.id: run for run in runs}
    pictures = [
        Picture(
            picture_name("compose", one.name),
            f"The {one.combine} of {one.first} and {one.second}: the exact policy of "
            "the combined task above, the first seed of the composed one below.",
            exact.composition(one, _shared(study, one)),
        )
        for one in composed
    ]
    table = exact_tables.compositions(composed, by_id, metrics)
    return Section("composition", "Composition", COMPOSED, table, pictures, [])


def _shared(study: Study, one: Composition) -> MultiGoal:
    """The first task with the goals that are the second's, too; all if none are."""
    first, second = (
        study.tasks[study.runs("explore")[run].task] for run in (one.first, one.second)
    )
    assert isinstance(first, MultiGoal)
    assert isinstance(second, MultiGoal)
    shared = tuple(goal for goal in first.goals if goal in second.goals)
    return first.model_copy(update={"goals": shared or first.goals + second.goals})
