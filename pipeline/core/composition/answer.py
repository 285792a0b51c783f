"""What is known exactly of two tasks with the same dynamics, and of them together."""

from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.agents.shapes import Actions, Numbers, States, Values
from pipeline.core.exact.composition_bound import PlaneGap
from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.resolution import too_coarse
from pipeline.core.exact.rollouts import Episodes, roll_out
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.multigoal.answer import MultiGoalAnswer
from pipeline.core.tasks.multigoal.arena import Arena, start
from pipeline.core.tasks.multigoal.combination import (
    SCALES,
    Rule,
    combined_arena,
    rarest_shared_goal,
)
from pipeline.core.tasks.multigoal.settings import MultiGoal

EPISODES = 500
"""Of the soft-optimal policy of the combined task."""


@runtime_checkable
class SoftQ(Protocol):
    """A population's soft Q-functions."""

    @property
    def temperature(self) -> Numbers:
        """α, in reward units per nat."""

    def q(self, state: States, action: Actions) -> Values:
        """Q(s, a), in reward units."""


class CombinedAnswer:
    """The exact answers of two tasks and of the two together."""

    def __init__(
        self,
        first: MultiGoal,
        second: MultiGoal,
        rule: Rule,
        *,
        temperature: float,
        spacing: float,
    ) -> None:
        """Solve all three; α is in reward units per nat.

        Raises:
            ValueError: The tasks cannot be combined, or not solved on this grid.
        """
        self._rule = rule
        self.states = MultiGoalAnswer(first).compared
        self._horizon = first.horizon

        def solved(arena: Arena, spacing: float) -> GridOracle:
            return GridOracle.solve(
                arena, temperature, discount=first.discount, spacing=spacing
            )

        arenas = [Arena.of(task) for task in (first, second)]
        self._parts = [solved(arena, spacing) for arena in arenas]
        self._for_bound = self._parts
        # The bound needs every action at every node: a coarser grid is 16 times faster.
        coarse = 2 * spacing
        if not any(too_coarse(arena, temperature, coarse) for arena in arenas):
            self._for_bound = [solved(arena, coarse) for arena in arenas]
        self.arena = combined_arena(first, second, rule)
        self.oracle = solved(self.arena, spacing)

    def episodes(self, name: str) -> Episodes:
        """What the combined task's best policy does, by the stream of that name."""
        return roll_out(
            self.oracle,
            start,
            self.oracle.plane.advance,
            horizon=self._horizon,
            episodes=EPISODES,
            generator=stream(0, name),
        )

    def numbers(self, episodes: Episodes) -> dict[str, float]:
        """What the combined oracle does, and what composing exact Qs loses."""
        arena = self.arena
        rarest = float(rarest_shared_goal(arena, episodes.last))
        found = {
            "oracle/success": float(arena.inside(episodes.last).all(axis=0).mean()),
            **({} if np.isnan(rarest) else {"oracle/rarest_shared_goal": rarest}),
            "oracle/return": float(episodes.returns.mean()),
            "oracle/value": float(self.oracle.value(self.states[1:2])[0]),
        }
        return found | self._losses() if self._rule == "average" else found

    def excesses(self, composed: SoftQ) -> dict[str, Float[ndarray, " member"]]:
        """By how much the *learned* average exceeds Q*_C at the probe states.

        Between 0 and C if both parts were exact: `least_excess` tells how much less,
        and `excess_above_bound`, when positive, how much more than that they are off.
        """
        states, actions = (
            torch.from_numpy(each.astype(np.float32)) for each in self._probed
        )
        members = len(composed.temperature)
        q = composed.q(
            states.repeat_interleave(actions.shape[1], 0).expand(members, -1, -1),
            actions.flatten(0, 1).expand(members, -1, -1),
        )
        excess = q.double().numpy().reshape(members, *self._exact.shape) - self._exact
        return {
            "least_excess": excess.min(axis=(1, 2)),
            "largest_excess": excess.max(axis=(1, 2)),
            "excess_above_bound": (excess - self._bound).max(axis=(1, 2)),
        }

    @cached_property
    def _probed(
        self,
    ) -> tuple[Float[ndarray, "probe 2"], Float[ndarray, "probe action 2"]]:
        shape = len(self.states), *self.oracle.actions.shape
        return self.states, np.broadcast_to(self.oracle.actions, shape)

    @cached_property
    def _exact(self) -> Float[ndarray, "probe action"]:
        return self.oracle.q(*self._probed)

    @cached_property
    def _bound(self) -> Float[ndarray, "probe action"]:
        """C of an average, at every action of every probe state."""
        states, actions = self._probed
        there, _, _ = self.oracle.plane.advance(states[:, None], actions)
        return PlaneGap(*self._for_bound)(there)

    def _losses(self) -> dict[str, float]:
        """Q_S - Q*_C of exact parts, and its bound C, over actions at the probe states.

        `least_loss` is not negative and `largest_share` at most 1, up to the
        error of the grid, if the theorem holds.
        """
        averaged = SCALES["average"] * sum(
            oracle.q(*self._probed) for oracle in self._parts
        )
        loss = averaged - self._exact
        return {
            "bound/least_loss": float(loss.min()),
            "bound/largest_loss": float(loss.max()),
            "bound/largest": float(self._bound.max()),
            "bound/largest_share": float((loss / self._bound).max()),
        }
