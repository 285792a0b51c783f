"""What the theorems say, drawn from the arrays that the stage `theorems` wrote."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.core.agents.settings import Ddpg, Reinforce, Sac, Sql
from pipeline.core.exact.gridworld import MOVES, TWO_WAYS, GridWorld
from pipeline.study.report.figures.style import bare, canvas, styled

Arrays = Mapping[str, npt.NDArray[Any]]

BOUND: Final[dict[str, Any]] = {"color": "#222222", "ls": (0, (4, 2)), "lw": 1.3}
"""How what a theorem promises is drawn."""
ROUNDING: Final = 1e-12
"""A variance below it is zero; a logarithmic axis cannot show that."""
WARM, COOL, PLAIN = Sac.colour, Sql.colour, Ddpg.colour
MOVE_COLOURS: Final = PLAIN, COOL, Reinforce.colour, WARM
"""In the order of `MOVES`."""
TEMPERATURE: Final = "temperature α (reward units per nat)"


@styled
def theorems(shown: Mapping[str, Arrays]) -> Figure:
    """Six theorems, a panel each."""
    figure, axes = canvas(2, 3, size=(11.4, 6.6))
    _contraction(axes[0, 0], shown["contraction"])
    _hard_limit(axes[0, 1], shown["hard_limit"])
    _improvement(axes[0, 2], shown["improvement"])
    _gamble(axes[1, 0], shown["gamble"])
    _identity(axes[1, 1], shown["identity_table"], shown["identity_network"])
    _variance(axes[1, 2], shown["variance"])
    return figure


def _shades(count: int) -> list[tuple[float, float, float]]:
    """From dark to light, of one hue."""
    dark = np.array([0.0, 0.23, 0.42])
    return [
        tuple(dark + (1 - dark) * 0.72 * index / max(count - 1, 1))
        for index in range(count)
    ]


def _contraction(axes: Axes, data: Arrays) -> None:
    temperatures = data["temperature"]
    chosen = list(dict.fromkeys([0, 1, len(temperatures) - 1]))
    for order, (row, colour) in enumerate(
        zip(chosen, _shades(len(chosen)), strict=True)
    ):
        share = data["distance"][row] / data["distance"][row, 0]
        seen = share > 1e-9
        axes.plot(
            data["sweep"][seen], share[seen], color=colour, lw=3.4 - order,
            label=f"α = {temperatures[row]:g}",
        )  # fmt: skip
    axes.plot(
        data["sweep"], data["bound"][0] / data["bound"][0, 0], **BOUND, label="γᵏ"
    )
    axes.set(
        yscale="log", xlabel="sweep k", ylabel="‖Q_k − Q*‖ / ‖Q_0 − Q*‖",
        title="Soft Q-iteration contracts",
    )  # fmt: skip
    axes.legend()


def _hard_limit(axes: Axes, data: Arrays) -> None:
    axes.plot(data["temperature"], data["gap"], "o-", color=COOL, label="largest")
    axes.plot(data["temperature"], data["least_gap"], "o-", color=WARM, label="least")
    axes.plot(data["temperature"], data["bound"], **BOUND, label="γ α log|A| / (1 − γ)")
    axes.set(
        xscale="log", yscale="log", xlabel=TEMPERATURE,
        ylabel="Q*_α − Q*_0 (reward units)", title="α → 0 is the hard limit",
    )  # fmt: skip
    axes.set_ylim(bottom=data["least_gap"].min() / 30)
    axes.legend(loc="lower right", ncols=2)


def _improvement(axes: Axes, data: Arrays) -> None:
    distance = np.maximum(data["distance"], 1e-10)
    axes.plot(data["iteration"], distance, "o-", color=COOL)
    axes.set(
        yscale="log", xlabel="soft policy iteration",
        ylabel="‖Q^π − Q*‖ (reward units)", title="Every policy is at least as good",
    )  # fmt: skip
    least = data["least_rise"].min()
    axes.text(
        0.96, 0.92, f"no Q falls by more than {max(-least, 0):.0e}", ha="right",
        transform=axes.transAxes, fontsize=8.5, color="#444444",
    )  # fmt: skip


def _gamble(axes: Axes, data: Arrays) -> None:
    alpha = data["temperature"]
    axes.plot(
        alpha,
        data["exact"][:, 1],
        "o-",
        color=WARM,
        label="exact posterior: optimistic",
    )
    axes.plot(alpha, data["variational"][:, 1], "o-", color=COOL, label="variational")
    axes.set(
        xscale="log", ylim=(-0.03, 1.03), xlabel=TEMPERATURE,
        ylabel="probability of the gamble", title="Inference may bet on luck",
    )  # fmt: skip
    axes.legend()


def _identity(axes: Axes, table: Arrays, network: Arrays) -> None:
    sides = [np.concatenate([each[side] for each in (table, network)])
             for side in ("soft_q", "both")]  # fmt: skip
    reach = 1.1 * np.abs(sides).max()
    axes.plot([-reach, reach], [-reach, reach], **BOUND)
    for data, colour, label in ((network, WARM, "network"), (table, COOL, "table")):
        axes.plot(
            data["soft_q"], data["both"], "o", ms=4.5, alpha=0.75, mew=0, color=colour,
            label=label,
        )  # fmt: skip
    axes.set(
        xlabel="∇ ½ E(Q − y)², each parameter", ylabel="−α ∇J + ∇ ½ (V − V̂)²",
        title="Soft Q-learning is a policy gradient",
    )  # fmt: skip
    axes.legend()


def _variance(axes: Axes, data: Arrays) -> None:
    for name, colour, label in (
        ("whole_return", PLAIN, "whole return"),
        ("reward_to_go", WARM, "reward to go (causality)"),
        ("value_baseline", COOL, "… less V(s)"),
        ("least_variance_baseline", "#1B9E8A", "… less the best baseline"),
    ):
        seen = data[name] > ROUNDING
        axes.plot(
            data["horizon"][seen], data[name][seen], "o-", ms=4, color=colour,
            label=label,
        )  # fmt: skip
    axes.set(
        yscale="log", xlabel="steps of an episode",
        ylabel="variance of one episode's gradient",
        title="Causality and baselines",
    )  # fmt: skip
    axes.legend()


@styled
def fitted(data: Arrays) -> Figure:
    """Fits that leave the only solution, and sweeps on tables that find it."""
    figure, axes = canvas(1, 1, size=(5.6, 3.4))
    for name, colour, label in (
        ("linear", WARM, "one feature"),
        ("tabular", COOL, "one for each state and action"),
    ):
        axes[0, 0].plot(data["sweep"], data[name], color=colour, label=label)
    axes[0, 0].set(
        yscale="log", xlabel="sweep k", ylabel="‖Q_k − Q*‖ (reward units)",
        title="Soft fitted Q-iteration may diverge",
    )  # fmt: skip
    axes[0, 0].legend()
    return figure


# ------------------------------------------------------------------------ grid world


@styled
def q_over_temperature(data: Arrays) -> Figure:
    """Q of every move at the start, from warm to cold, and where α → 0 takes it."""
    figure, axes = canvas(1, 1, size=(5.6, 3.4))
    panel, start = axes[0, 0], GridWorld.of(TWO_WAYS).start
    for index, (move, colour) in enumerate(zip(MOVES, MOVE_COLOURS, strict=True)):
        panel.plot(
            data["temperature"], data["q"][:, start, index], "o-", color=colour,
            lw=6 - 1.5 * index, ms=9 - 2 * index, label=move,
        )  # fmt: skip
        panel.axhline(data["q_hard"][start, index], **BOUND | {"color": colour})
    panel.set(
        xscale="log", xlabel=TEMPERATURE, ylabel="Q*_α (reward units)",
        title="Every way at the start",
    )  # fmt: skip
    panel.legend(ncols=2)
    return figure


@styled
def two_ways(data: Arrays) -> Figure:
    """Where the optimal policy is, from warm to cold: both ways, then one."""
    temperatures = data["temperature"]
    chosen = list(dict.fromkeys([0, 1, len(temperatures) - 1]))
    figure, axes = canvas(1, len(chosen) + 1, size=(3.1 * (len(chosen) + 1), 2.75))
    panels = [
        (f"α = {temperatures[row]:g}", data["visits"][row], data["policy"][row])
        for row in chosen
    ]
    panels.append(("α → 0", data["visits_hard"], data["policy_hard"]))
    norm = LogNorm(1e-2, 3)
    for panel, (title, visits, policy) in zip(axes[0], panels, strict=True):
        seen = np.maximum(visits, 1e-3)
        panel.imshow(seen, origin="lower", cmap="Blues", norm=norm)
        _moves(panel, policy)
        for row, column in np.argwhere(np.isnan(visits)):
            panel.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color="#555555"))
        bare(panel)
        panel.set_title(title)
    bar = figure.colorbar(ScalarMappable(norm, "Blues"), ax=axes, shrink=0.8, pad=0.01)
    bar.set_label("expected visits")
    return figure


def _moves(axes: Axes, policy: npt.NDArray[Any]) -> None:
    """An arrow for each move, as long as it is probable."""
    rows, columns, _ = policy.shape
    for index, (right, up) in enumerate(MOVES.values()):
        row, column = np.indices((rows, columns))
        length = 0.45 * np.nan_to_num(policy[:, :, index])
        seen = length > 0.02
        axes.quiver(
            column[seen], row[seen], (right * length)[seen], (up * length)[seen],
            angles="xy", scale_units="xy", scale=1, width=0.008, color="#222222",
        )  # fmt: skip
