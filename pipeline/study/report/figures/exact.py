"""Learned policies beside the exact ones: densities of actions, and trajectories."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from pipeline.core.agents.settings import Sql
from pipeline.core.tasks.multigoal.arena import BOUND, GOAL_RADIUS
from pipeline.core.tasks.multigoal.settings import MultiGoal, Perturbation
from pipeline.study.report.figures import style
from pipeline.study.report.figures.multigoal import trajectories
from pipeline.study.statistics.goals import goals_of
from pipeline.study.store.scores import WITHSTOOD, Composition, Score

Array = npt.NDArray[Any]

ORACLE: Final = "#1B1B1B"
"""The colour of what is exact."""
BRIGHTNESS: Final = 0.5
"""Exponent that lets cells of small mass be seen beside the highest."""


@style.styled
def oracle(data: Mapping[str, Array], task: MultiGoal, title: str) -> Figure:
    """V*, episodes of the soft-optimal policy, and its actions in three places."""
    figure, axes = style.canvas(1, 5, size=(13.2, 3.0))
    reach = (-BOUND, BOUND, -BOUND, BOUND)
    image = axes[0, 0].imshow(
        data["v"].T, origin="lower", extent=reach, cmap="Blues", aspect="equal"
    )
    axes[0, 0].set(title="V* (reward units)", xticks=[-5, 0, 5], yticks=[-5, 0, 5])
    axes[0, 0].grid(visible=False)
    figure.colorbar(image, ax=axes[0, 0], shrink=0.75)
    trajectories(axes[0, 1], task, data["positions"])
    axes[0, 1].set_title("episodes")
    for probe, panel in enumerate(axes[0, 2:]):
        masses = data["probe_masses"][probe]
        density(panel, masses, ORACLE, masses.max())
        panel.set_title(f"actions at {place(data['probe_states'][probe])}")
    figure.suptitle(title)
    return figure


@style.styled
def side_by_side(scores: Sequence[Score], oracle: str) -> Figure:
    """Densities of actions: a row for each place, the exact answer first.

    The runs were compared with the oracle of that name; their first seed is drawn.
    """
    behaviours = [score.behaviour() for score in scores]
    states = behaviours[0]["probe_states"]
    exact = behaviours[0][f"oracle_masses/{oracle}"]
    columns = len(scores) + 1
    figure, axes = style.canvas(
        len(states), columns, size=(2.15 * columns + 0.6, 2.2 * len(states) + 0.4)
    )
    named = style.names([score.run for score in scores])
    for row, (state, masses) in enumerate(zip(states, exact, strict=True)):
        density(axes[row, 0], masses, ORACLE, masses.max())
        axes[row, 0].set_ylabel(f"at {place(state)}")
        for score, behaviour, panel in zip(
            scores, behaviours, axes[row, 1:], strict=True
        ):
            colour = score.run.algorithm.colour
            density(panel, behaviour["policy_masses"][0, row], colour, masses.max())
            value = score.exact[f"{oracle}/reverse_kl/{score.places[row]}"][0]
            _note(panel, f"KL {value:.2f}")
    axes[0, 0].set_title("exact")
    for score, panel in zip(scores, axes[0, 1:], strict=True):
        panel.set_title(named[score.run.id])
    return figure


def density(axes: Axes, masses: Array, colour: str, highest: float) -> None:
    """Masses `[x, y]` of the cells of [-1, 1]², from white to a colour.

    From `highest` on there is no darker colour.
    """
    shades = LinearSegmentedColormap.from_list("mass", ["white", colour])
    axes.imshow(
        masses.T, origin="lower", extent=(-1, 1, -1, 1), cmap=shades,
        norm=PowerNorm(BRIGHTNESS, 0, highest), interpolation="nearest",
    )  # fmt: skip
    axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)


def place(state: Array) -> str:
    """`(2.5, 0)`, of a state."""
    return f"({', '.join(f'{each:g}' for each in state)})".replace("-", "\u2212")


def _note(axes: Axes, text: str) -> None:
    axes.text(
        0.04, 0.95, text, va="top", fontsize=8.5, color="#333333",
        transform=axes.transAxes,
        bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1.5},
    )  # fmt: skip


# ----------------------------------------------------------------------- robustness


@style.styled
def changed_tasks(
    scores: Sequence[Score], perturbations: Mapping[str, Perturbation]
) -> Figure:
    """First attempts in the task as it was learned and as it is changed.

    Of runs on one task, a row each; their first seed is drawn.
    """
    columns = scores[0].perturbations
    figure, axes = style.canvas(
        len(scores),
        len(columns),
        size=(2.5 * len(columns) + 0.4, 2.6 * len(scores) + 0.3),
    )
    named = style.names([score.run for score in scores])
    for score, row in zip(scores, axes, strict=True):
        behaviour = score.behaviour()
        for name, panel in zip(columns, row, strict=True):
            positions = behaviour[f"positions/{name}"][0]
            _attempts(panel, goals_of(score.run), perturbations.get(name), positions)
            succeeded = score.robustness[f"{name}/{WITHSTOOD}"][0]
            _note(panel, f"{succeeded:.0%}")
            if score is scores[0]:
                panel.set_title(name.replace("_", " "))
        row[0].set_ylabel(named[score.run.id])
    return figure


def _attempts(
    axes: Axes, task: MultiGoal, change: Perturbation | None, positions: Array
) -> None:
    """Trajectories in a changed task; a goal keeps its colour, a lost one is dotted."""
    changed = (change and task.changed(change)) or task
    colours = dict(zip(task.goals, style.goal_colours(len(task.goals)), strict=True))
    trajectories(axes, changed, positions, [colours[goal] for goal in changed.goals])
    for goal in [goal for goal in task.goals if goal not in changed.goals]:
        axes.add_patch(Circle(goal, GOAL_RADIUS, fill=False, ec="#777777", ls=":"))


@style.styled
def judged(score: Score, perturbations: Mapping[str, Perturbation]) -> Figure:
    """One run: its actions beside the exact ones, and itself in changed tasks."""
    behaviour = score.behaviour()
    columns = max(len(score.perturbations), 3)
    rows = 3 if score.exact else 2
    figure, axes = style.canvas(rows, columns, size=(2.6 * columns, 2.7 * rows + 0.4))
    colour = score.run.algorithm.colour
    for panel in axes.flat:
        panel.set_visible(False)
    for probe, state in enumerate(behaviour["probe_states"]):
        masses = behaviour["policy_masses"][0, probe]
        highest = masses.max()
        if score.exact:
            exact = behaviour[f"oracle_masses/{score.oracles[0]}"][probe]
            highest = exact.max()
            axes[1, probe].set_visible(True)
            density(axes[1, probe], exact, ORACLE, highest)
            axes[1, probe].set_title(f"exact: {score.oracles[0]}")
        axes[0, probe].set_visible(True)
        density(axes[0, probe], masses, colour, highest)
        axes[0, probe].set_title(f"actions at {place(state)}")
    for name, panel in zip(score.perturbations, axes[-1], strict=False):
        panel.set_visible(True)
        positions = behaviour[f"positions/{name}"][0]
        _attempts(panel, goals_of(score.run), perturbations.get(name), positions)
        panel.set_title(name.replace("_", " "))
    figure.suptitle(f"{style.describe(score.run)}, seed {score.run.seeds[0]}")
    return figure


# ---------------------------------------------------------------------- composition


@style.styled
def composition(one: Composition, task: MultiGoal) -> Figure:
    """The exact policy of the combined task above, the composed one below.

    The first seed is drawn. The goals of `task` are those that both tasks share.
    """
    data = one.behaviour()
    states = data["probe_states"]
    figure, axes = style.canvas(2, len(states) + 1, size=(2.7 * (len(states) + 1), 5.7))
    exact, composed = data["oracle_masses"], data["policy_masses"][0]
    for row, title, colour, positions, masses in (
        (axes[0], "exact", ORACLE, data["oracle_positions"], exact),
        (axes[1], "composed", Sql.colour, data["positions"][0], composed),
    ):
        trajectories(row[0], task, positions)
        row[0].set_ylabel(title)
        for probe, panel in enumerate(row[1:]):
            density(panel, masses[probe], colour, exact[probe].max())
    axes[0, 0].set_title("goals of both tasks")
    for state, panel in zip(states, axes[0, 1:], strict=True):
        panel.set_title(f"actions at {place(state)}")
    return figure
