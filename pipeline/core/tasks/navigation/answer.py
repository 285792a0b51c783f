"""How a task in a world is solved exactly, and what its best policy does."""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.core.exact import resolution, velocity
from pipeline.core.exact.box_policy import BoxPolicy
from pipeline.core.exact.distance import oracle_masses
from pipeline.core.exact.grid import GridOracle
from pipeline.core.exact.oracle import Solution
from pipeline.core.exact.rollouts import Episodes, roll_out
from pipeline.core.exact.velocity import Momentum, VelocityOracle
from pipeline.core.population.randomness import stream
from pipeline.core.tasks.answers import Answer
from pipeline.core.tasks.navigation.bodies import PointWithMomentum
from pipeline.core.tasks.navigation.rewards import Speed
from pipeline.core.tasks.navigation.scene import PointScene
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.navigation.world import START_BOUND, World
from pipeline.core.tasks.trajectories import Trajectories

EPISODES = 500
"""Of the soft-optimal policy: shares of a half have a standard error of .022."""
KEPT_EPISODES = 50
"""Of them, for figures."""
CELLS = 41
"""Along each axis of the masses of actions that are kept for figures."""
MOST_CHANGED = 0.1
"""Nats by which the entropy at the start may change by refinement: where a policy is
sharper than the cells, V hardly notices, and its entropy does."""
MOVING = 0.5
"""Speed at which a body with momentum is compared, as well as at rest."""


def answer_to(task: Navigation) -> "NavigationAnswer | None":
    """By a grid of positions or of velocities; None for a body of MuJoCo."""
    scene = task.scene
    if not isinstance(scene, PointScene):
        return None
    kind = PointAnswer if task.body == "point" else MomentumAnswer
    return kind(task, scene)


class NavigationAnswer(Answer):
    """Soft value iteration on a grid."""

    def __init__(self, task: Navigation, scene: PointScene) -> None:
        self._task = task
        self._scene = scene

    @abstractmethod
    def solved(self, temperature: float, spacing: float) -> GridOracle | VelocityOracle:
        """The oracle on a grid of this spacing."""

    @property
    @abstractmethod
    def states(self) -> Float[ndarray, "probe state"]:
        """Where policies are compared, as observed; first the start."""

    @property
    def start(self) -> Float[ndarray, " state"]:
        return np.asarray(self.states[0])

    def solve(self, temperature: float, *, spacing: float, name: str) -> Solution:
        oracle = self.solved(temperature, spacing)
        refinement = self._refinement(oracle, spacing)
        scene, generator = self._scene, stream(0, name)
        episodes = roll_out(
            oracle,
            lambda drawn: scene.body.at(scene.world.start_of(drawn)),
            scene.advance,
            horizon=self._task.horizon,
            episodes=EPISODES,
            generator=generator,
        )
        states = self.states
        arrays = {
            "probe_masses": np.stack(
                [oracle_masses(oracle, state, CELLS) for state in states]
            ),
            "probe_states": states,
            "positions": episodes.positions[:KEPT_EPISODES].astype(np.float32),
            "v": oracle.v,
        }
        return Solution(self._numbers(oracle, episodes) | refinement, arrays)

    def _refinement(
        self, oracle: GridOracle | VelocityOracle, spacing: float
    ) -> dict[str, float]:
        """What changes from a grid of twice the spacing, or else to one of half of it.

        Raises:
            ValueError: The entropy at the start changes by more than `MOST_CHANGED`.
        """
        alpha, start = oracle.temperature, self.start[None]
        for other in (2 * spacing, spacing / 2):
            if self.unsolvable(alpha, spacing=other) is None:
                break
        else:
            return {}
        compared = self.solved(alpha, other)
        value, entropy = oracle.value(start), oracle.entropy(start)
        change = float(np.abs(compared.entropy(start) - entropy)[0])
        if change > MOST_CHANGED:
            raise ValueError(
                "the policy is sharper than the grid: its entropy at the start differs "
                f"by {change:.2g} nats between spacings of {spacing:g} and {other:g}, "
                f"more than {MOST_CHANGED:g}; try {spacing / 2:g}"
            )
        return {
            "refinement_change": float(np.abs(compared.value(start) / value - 1)[0]),
            "refinement_entropy_change": change,
        }

    def _numbers(self, oracle: BoxPolicy, episodes: Episodes) -> dict[str, float]:
        """What the policy is worth and does; `docs/metrics.md` defines each."""
        at_start = self.start[None]
        seen = Trajectories(
            episodes.returns[None],
            episodes.lengths[None],
            episodes.ended[None],
            episodes.positions[None],
        )
        does = {
            name: float(of_member[0])
            for name, of_member in self._task.metrics(seen).items()
        }
        return {
            "value": float(oracle.value(at_start)[0]),
            "entropy": float(oracle.entropy(at_start)[0]),
            "return": float(episodes.returns.mean()),
            "return_deviation": float(episodes.returns.std(ddof=1)),
            "episode_length": float(episodes.lengths.mean()),
            **does,
        }


class PointAnswer(NavigationAnswer):
    """The displaced point: a grid of positions."""

    @property
    def states(self) -> Float[ndarray, "probe 2"]:
        """The start, and the middle of each open passage."""
        return np.array([self._task.place.start, *_middles(self._task.place)])

    @property
    def compared(self) -> Float[ndarray, "probe 2"]:
        return self.states

    def unsolvable(self, temperature: float, *, spacing: float) -> str | None:
        reason = resolution.too_coarse(self._scene, temperature, spacing)
        return f"the spacing cannot be used: {reason}" if reason else None

    def solved(self, temperature: float, spacing: float) -> GridOracle:
        return GridOracle.solve(
            self._scene, temperature, discount=self._task.discount, spacing=spacing
        )

    def oracle(self, temperature: float, arrays: Mapping[str, ndarray]) -> GridOracle:
        return GridOracle(self._scene, temperature, self._task.discount, arrays["v"])


class MomentumAnswer(NavigationAnswer):
    """The point with momentum, paid for its speed in the open: a grid of velocities."""

    @property
    def states(self) -> Float[ndarray, "probe 4"]:
        """At rest, and in motion along x."""
        rest = PointWithMomentum().at(np.array(self._task.place.start))
        states = np.stack([rest, rest + np.eye(4)[2] * MOVING])
        return PointWithMomentum().observed(states)

    @property
    def compared(self) -> Float[ndarray, "probe 4"] | None:
        return None if self._place_matters() else self.states

    def unsolvable(self, temperature: float, *, spacing: float) -> str | None:
        if reason := self._place_matters():
            return f"a point with momentum has an exact answer in the open: {reason}"
        reason = velocity.too_coarse(temperature, spacing)
        return f"the spacing cannot be used: {reason}" if reason else None

    def _place_matters(self) -> str | None:
        """Why the velocity is not all that matters; None if it is."""
        task, world = self._task, self._task.place
        if not isinstance(task.reward, Speed) or task.reward.past_line is not None:
            return "its reward must be `speed` without `past_line`"
        if world.closed:
            return "its world must have no walls"
        if task.end != "never":
            return f"its `end` must be never, found {task.end}"
        far = max(map(abs, world.start)) + START_BOUND
        needed = far + PointWithMomentum.step * task.horizon
        if world.half_width < needed:
            return (
                f"its `half_width` must be at least {needed:g}, as far as an episode "
                f"can go, found {world.half_width:g}"
            )
        return None

    def solved(self, temperature: float, spacing: float) -> VelocityOracle:
        return VelocityOracle.solve(
            self._momentum, temperature, discount=self._task.discount, spacing=spacing
        )

    def oracle(
        self, temperature: float, arrays: Mapping[str, ndarray]
    ) -> VelocityOracle:
        discount = self._task.discount
        return VelocityOracle(self._momentum, temperature, discount, arrays["v"])

    @property
    def _momentum(self) -> Momentum:
        reward = self._task.reward
        assert isinstance(reward, Speed), "others are not solvable"
        return Momentum(PointWithMomentum.velocity, reward.of_move, reward.effort)


def _middles(world: World) -> Float[ndarray, "passage 2"]:
    passages = world.passages.open if world.passages else ()
    middles = [np.mean([box.low, box.high], axis=0) for box in passages]
    return np.array(middles).reshape(-1, 2)
