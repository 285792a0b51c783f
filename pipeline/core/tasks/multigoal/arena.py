"""A point in the plane and goals that are equally good.

As in the code that the authors of soft Q-learning released in 2018. (The text of the
2017 paper describes a mixture of Gaussians as the reward; no released code does that.)
Goals, walls and a push are parameters; the released task has four goals, (±5, 0) and
(0, ±5), which end the episode, and nothing else.

- Observation: the position x in [-7, 7]². Start: N(0, 0.1² I), at most 0.5 away along
  each axis, which is five standard deviations.
- Action: a displacement in [-1, 1]², so that x' = clip(x + a). A move whose straight
  way meets a wall is not made: x' = x.
- Reward: -30 ‖a‖² - min_g ‖x' - g‖², and +10 within distance 1 of a goal.
- A push displaces the point after the move of one step, by the same rules as a move;
  the step is judged by where the push has left the point.

`environments.py` has the environments.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from pipeline.core.tasks.geometry import corners, crosses, nearest, squared
from pipeline.core.tasks.multigoal.settings import (
    ARENA_BOUND,
    START_BOUND,
    MultiGoal,
    Push,
)

BOUND = ARENA_BOUND
GOAL_RADIUS = 1.0
GOAL_REWARD = 10.0
ACTION_COST = 30.0
START_SCALE = 0.1


@dataclass(frozen=True, eq=False)
class Arena:
    """The plane with everything in it: where a move leads and what it is worth."""

    objectives: tuple[Float[ndarray, "_ 2"], ...]
    """Goals of each objective; a task has one objective, a sum of tasks has more."""
    scale: float
    """What the sum of the objectives' rewards is multiplied by."""
    walls: Float[ndarray, "wall 2 2"]
    """(low corner, high corner) of each closed box."""
    goals_end_episode: bool
    push: Push | None

    @classmethod
    def of(cls, task: MultiGoal) -> "Arena":
        """The arena that a task describes."""
        return cls(
            objectives=(np.array(task.goals, dtype=np.float64),),
            scale=1.0,
            walls=corners(task.walls),
            goals_end_episode=task.goals_end_episode,
            push=task.push,
        )

    @property
    def bound(self) -> float:
        """Half-width of the plane."""
        return BOUND

    @property
    def effort(self) -> float:
        """c: what ‖a‖² = 1 costs, in reward units."""
        return self.scale * len(self.objectives) * ACTION_COST

    @property
    def finest(self) -> float:
        """∞: a parabola has no length of its own."""
        return np.inf

    @property
    def ends(self) -> bool:
        """Whether a place can end an episode."""
        return self.goals_end_episode

    @property
    def depends_on_time(self) -> bool:
        """Whether there is a push, at its step of the episode."""
        return self.push is not None

    @property
    def pays_moves(self) -> bool:
        """Never: only places are worth something."""
        return False

    def worth_of_move(
        self, displacement: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """0."""
        return np.zeros(displacement.shape[:-1])

    def advance(
        self, position: Float[ndarray, "*#batch 2"], action: Float[ndarray, "*#batch 2"]
    ) -> tuple[ndarray, ndarray, ndarray]:
        """One step of the dynamics, without a push, of shapes that broadcast.

        Returns the new position, the reward, and whether the episode ends there.
        """
        after = self.shifted(position, np.clip(action, -1.0, 1.0))
        nearest = self._nearest(after)
        return after, self._judged(nearest, _effort(action)), self._ended(nearest)

    def shifted(
        self,
        position: Float[ndarray, "*#batch 2"],
        displacement: Float[ndarray, "*#batch 2"],
    ) -> Float[ndarray, "... 2"]:
        """Where a displacement leads: into the plane, and nowhere if a wall is met."""
        after = np.clip(position + displacement, -BOUND, BOUND)
        if not len(self.walls):
            return np.asarray(after)
        stopped = crosses(position, after, self.walls)
        return np.where(stopped[..., None], position, after)

    def reward(
        self,
        position_next: Float[ndarray, "*#batch 2"],
        action: Float[ndarray, "*#batch 2"],
    ) -> Float[ndarray, "..."]:
        """Reward of an action that led to a place, in reward units."""
        return self._judged(self._nearest(position_next), _effort(action))

    def reward_at(
        self, position_next: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """The part of the reward that is due to the place."""
        return self._judged(self._nearest(position_next), np.zeros(()))

    def _nearest(
        self, position: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, " objective *batch"]:
        """Distance to the nearest goal of each objective."""
        return np.stack([nearest(position, goals) for goals in self.objectives])

    def _judged(
        self,
        nearest: Float[ndarray, " objective *batch"],
        effort: Float[ndarray, "*#batch"],
    ) -> Float[ndarray, "*batch"]:
        bonus = GOAL_REWARD * (nearest < GOAL_RADIUS)
        total = sum(bonus - effort - np.square(nearest), start=np.zeros(()))
        return np.asarray(self.scale * total)

    def ended(
        self, position_next: Float[ndarray, "*batch 2"]
    ) -> Bool[ndarray, "*batch"]:
        """Whether an episode ends at a place."""
        return self._ended(self._nearest(position_next))

    def _ended(
        self, nearest: Float[ndarray, " objective *batch"]
    ) -> Bool[ndarray, "*batch"]:
        anywhere = (nearest < GOAL_RADIUS).any(axis=0)
        return np.asarray(anywhere & self.goals_end_episode)

    def inside(
        self, position: Float[ndarray, "*batch 2"]
    ) -> Bool[ndarray, " objective *batch"]:
        """Whether a place is within the radius of a goal of each objective."""
        return self._nearest(position) < GOAL_RADIUS


def _effort(action: Float[ndarray, "*batch 2"]) -> Float[ndarray, "*batch"]:
    """What an action costs, in reward units."""
    return np.asarray(ACTION_COST * squared(np.clip(action, -1.0, 1.0)))


def start(generator: np.random.Generator) -> Float[ndarray, " 2"]:
    """A starting position."""
    drawn = START_SCALE * generator.standard_normal(2)
    return np.clip(drawn, -START_BOUND, START_BOUND)


def direction(generator: np.random.Generator) -> Float[ndarray, " 2"]:
    """A direction, every one equally likely."""
    angle = generator.uniform(0.0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


FOUR_GOALS = Arena(
    objectives=(np.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0], [0.0, -5.0]]),),
    scale=1.0,
    walls=np.zeros((0, 2, 2)),
    goals_end_episode=True,
    push=None,
)
"""The released task: what Gymnasium makes for whoever uses it outside of a study."""
