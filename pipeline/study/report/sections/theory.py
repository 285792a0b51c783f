"""What the theorems say."""

from collections.abc import Iterator
from typing import Final

from safetensors.numpy import load_file

from pipeline.study.report.figures import theory
from pipeline.study.report.figures.album import Picture
from pipeline.study.report.section import Context, Section
from pipeline.study.store.layout import THEOREMS, picture_name, readable

INTRODUCTION: Final = (
    "Where the theorems of the papers are about finite processes, they are computed, "
    "and checked by the tests. Here they are drawn for a grid world with two equally "
    "good ways, a gamble, and gradients on a table and on a small network."
)


def sections(context: Context) -> Iterator[Section]:
    """One section, if the study wants to see them."""
    if (wanted := context.study.theorems) is None:
        return
    shown = {}
    for path in sorted(THEOREMS.glob("*.safetensors")):
        with readable(path, "theorems"):
            shown[path.stem] = load_file(path)
    gamble = wanted.gamble
    with readable(THEOREMS, "theorems"):
        pictures = [
            Picture(
                picture_name("theorems", ""),
                "Dashed: what the theorem promises. Above: soft Q-iteration from Q = 0 "
                "on the grid world; its limit α → 0; soft policy iteration from the "
                "uniform policy at the highest temperature. Below: a gamble that wins "
                f"with probability {gamble.probability:g}; both sides of the identity "
                "for random values, policies and targets; the variance of REINFORCE, "
                "by counting every episode.",
                theory.theorems(shown),
            ),
            Picture(
                "theorems_fitted",
                "Soft fitted Q-iteration to all transitions of a process without "
                "rewards, whose only solution is Q = 0. On the grid world, with a "
                "feature for each state and action, it is soft Q-iteration: no sweep "
                f"differs by more than {shown['fitted']['difference'].max():.0e}.",
                theory.fitted(shown["fitted"]),
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
    yield Section("theory", "Theory", INTRODUCTION, [], pictures)
