"""A world with a body in it, a reward and an end: where actions lead, what it is worth.

With the displaced point it is a `Plane`, which can be solved exactly on a grid.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from pipeline.core.tasks.geometry import squared
from pipeline.core.tasks.navigation.bodies import Body, Point, moved
from pipeline.core.tasks.navigation.rewards import (
    Bump,
    Reward,
    Speed,
    at_target,
    past_line,
)
from pipeline.core.tasks.navigation.world import World


@dataclass(frozen=True, eq=False)
class Scene:
    """What it is worth in a task to be and to move where a body does."""

    world: World
    body: Body
    reward: Reward
    end: str

    def worth(
        self, before: Float[ndarray, "*#batch 2"], after: Float[ndarray, "*#batch 2"]
    ) -> Float[ndarray, "..."]:
        """The reward of a step from one place to another, but for its effort."""
        return np.asarray(self.worth_of_move(after - before) + self.reward_at(after))

    @property
    def effort(self) -> float:
        """c: what ‖a‖² = 1 costs, in reward units."""
        return self.reward.effort

    def worth_of_move(
        self, displacement: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """The part of the reward that is due to having moved."""
        if not isinstance(self.reward, Speed):
            return np.zeros(displacement.shape[:-1])
        return self.reward.of_move(displacement / self.body.step)

    def reward_at(self, place: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch"]:
        """The part of the reward that is due to the place where a step ends."""
        return self.reward.of_place(place, self.world)

    def ended(self, place: Float[ndarray, "*batch 2"]) -> Bool[ndarray, "*batch"]:
        """Whether an episode ends at a place."""
        match self.end:
            case "at_target":
                return at_target(place, self.world)
            case "past_line":
                return past_line(place, self.world)
            case _:
                return np.zeros(place.shape[:-1], dtype=bool)


@dataclass(frozen=True, eq=False)
class PointScene(Scene):
    """What happens to points, of any number of them at once."""

    body: Point

    def advance(
        self,
        state: Float[ndarray, "*#batch state"],
        action: Float[ndarray, "*#batch 2"],
    ) -> tuple[ndarray, ndarray, ndarray]:
        """One step: the new state, the reward, and whether the episode ends there."""
        action = np.clip(action, -1.0, 1.0)
        after = self.body.advance(state, action, self.world)
        there = after[..., :2]
        worth = self.worth(state[..., :2], there)
        reward = np.asarray(worth - self.effort * squared(action))
        return after, reward, self.ended(there)

    # ----------------------------------------- what the solver of a plane asks besides

    @property
    def bound(self) -> float:
        """Half-width of the plane."""
        return self.world.half_width

    @property
    def walls(self) -> Float[ndarray, "wall 2 2"]:
        """(low corner, high corner) of each closed box."""
        return self.world.boxes

    @property
    def finest(self) -> float:
        """Width of the reward's bumps; ∞ if it has none."""
        return self.reward.bump.width if isinstance(self.reward, Bump) else np.inf

    @property
    def ends(self) -> bool:
        """Whether a place can end an episode."""
        return self.end != "never"

    @property
    def pays_moves(self) -> bool:
        """Whether a move is worth something whatever its place."""
        return isinstance(self.reward, Speed)

    @property
    def depends_on_time(self) -> bool:
        """Nothing happens at a step of its own."""
        return False

    def shifted(
        self,
        position: Float[ndarray, "*#batch 2"],
        displacement: Float[ndarray, "*#batch 2"],
    ) -> Float[ndarray, "... 2"]:
        """Where a displacement leads."""
        return moved(position, position + displacement, self.world)
