"""A small grid world in which two ways to the goal are equally good."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from pipeline.core.exact.mdp import Mdp

MOVES = {"right": (1, 0), "up": (0, 1), "left": (-1, 0), "down": (0, -1)}
"""The actions in their order, as (column, row) steps; row 0 is the lowest."""

TWO_WAYS = """
.......
..###..
S.###.G
..###..
.......
"""


@dataclasses.dataclass(frozen=True, eq=False)
class GridWorld:
    """Cells of a rectangle that can be entered, numbered as states.

    A map has a line for each row, the highest first: `S` start, `G` goal, `#` wall,
    `.` free.
    """

    rows: int
    columns: int
    cells: Int[ndarray, "state 2"]
    """The (column, row) of each state, row 0 the lowest."""
    start: int
    """The state of `S`."""
    goal: int
    """The state of `G`."""

    @classmethod
    def of(cls, text: str) -> "GridWorld":
        """Read a map: lines of one length, with one start and one goal."""
        lines = text.split()[::-1]
        signs = np.array([list(line) for line in lines])  # [row, column]
        row, column = np.nonzero(signs != "#")
        states = signs[row, column]
        return cls(
            rows=len(lines),
            columns=len(lines[0]),
            cells=np.stack([column, row], axis=-1),
            start=int(np.flatnonzero(states == "S")[0]),
            goal=int(np.flatnonzero(states == "G")[0]),
        )

    def mdp(
        self, *, discount: float, slip: float, step_cost: float, goal_reward: float
    ) -> Mdp:
        """The grid world as a process with the actions of `MOVES`.

        A move into a wall or out of the rectangle stays where it is. With an action's
        entropy worth more than its step, α log 4 > `step_cost`, going on for ever has
        a positive value, which the goal's reward must outweigh to be worth reaching.

        Args:
            discount: γ, per environment step.
            slip: Probability that an action is replaced by one drawn evenly.
            step_cost: What every move costs, in reward units.
            goal_reward: What entering the goal adds; it ends the episode.
        """
        count, actions = len(self.cells), len(MOVES)
        moved = np.zeros((count, actions, count))
        state, action = np.indices((count, actions))
        moved[state, action, self._after()] = 1.0
        transition = (1 - slip) * moved + slip * moved.mean(axis=1, keepdims=True)
        reward = goal_reward * transition[:, :, self.goal] - step_cost
        transition[self.goal] = np.eye(count)[self.goal]
        reward[self.goal] = 0.0
        return Mdp(transition, reward, discount, np.arange(count) == self.goal)

    def on_grid(
        self, values: Float[ndarray, " state"]
    ) -> Float[ndarray, "rows columns"]:
        """Values by (row, column), row 0 the lowest, and NaN in walls."""
        grid = np.full((self.rows, self.columns), np.nan)
        grid[self.cells[:, 1], self.cells[:, 0]] = values
        return grid

    def _after(self) -> Int[ndarray, "state action"]:
        """The state after each move that does not slip."""
        number = np.full((self.rows + 2, self.columns + 2), -1)  # with a border
        number[self.cells[:, 1] + 1, self.cells[:, 0] + 1] = np.arange(len(self.cells))
        target = self.cells[:, None] + np.array(list(MOVES.values())) + 1
        after = number[target[..., 1], target[..., 0]]
        itself = np.arange(len(self.cells))[:, None]
        return np.where(after >= 0, after, itself)
