"""What is written of a MuJoCo body."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import PositiveInt

from pipeline.core.config.evaluation import Evaluation
from pipeline.core.config.values import Discount
from pipeline.core.tasks.directions import direction_spread
from pipeline.core.tasks.kind import COPIES_AT_ONCE, Kind
from pipeline.core.tasks.trajectories import Trajectories

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv


class Locomotion(Kind):
    """A MuJoCo body rewarded for the motion of its centre of mass."""

    columns: ClassVar[tuple[str, ...]] = (
        "return",
        "distance",
        "forward_distance",
        "direction_spread",
    )
    curves: ClassVar[tuple[str, ...]] = columns
    has_plane: ClassVar[bool] = True
    at_once: ClassVar[int | None] = COPIES_AT_ONCE

    kind: Literal["locomotion"]
    body: Literal["swimmer"]
    reward: Literal["speed", "forward"]
    """`speed`: in any direction of the plane; `forward`: along x."""
    horizon: PositiveInt
    discount: Discount
    objective: Literal["return", "distance", "forward_distance", "direction_spread"]
    evaluation: Evaluation

    @property
    def time_limit(self) -> int:
        return self.horizon

    def environments(self, count: int) -> "VectorEnv":
        from pipeline.core.tasks.gymnasium.environments import Copies
        from pipeline.core.tasks.locomotion.environment import SwimmerCentreOfMassEnv

        make = partial(SwimmerCentreOfMassEnv, self.reward)
        return Copies(make, count, in_plane=True)

    @property
    def spaces(self) -> object:
        return self.body

    def of_failed(self, metric: str) -> float:
        if metric in ("distance", "direction_spread"):
            return 0.0
        return super().of_failed("return" if metric == "forward_distance" else metric)

    @property
    def widths(self) -> tuple[int, int]:
        return 8, 2

    def metrics(
        self, trajectories: Trajectories
    ) -> dict[str, Float[ndarray, " member"]]:
        """How far and where to the centre of mass moves, in metres."""
        assert trajectories.positions is not None
        moved = trajectories.last_positions - trajectories.positions[:, :, 0]
        distance = np.linalg.norm(moved, axis=-1).mean(axis=1)
        return {
            "distance": distance,
            "forward_distance": moved[..., 0].mean(axis=1),
            "direction_spread": direction_spread(moved),
        }
