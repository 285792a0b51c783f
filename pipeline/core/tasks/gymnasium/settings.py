"""What is written of any environment that Gymnasium knows."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from pipeline.core.config.evaluation import Evaluation
from pipeline.core.config.values import Discount
from pipeline.core.tasks.kind import COPIES_AT_ONCE, Kind

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

    from pipeline.core.tasks.gymnasium.copy import Copy


class Gymnasium(Kind):
    """Any environment that Gymnasium knows, with box observations and actions."""

    kind: Literal["gymnasium"]
    id: str
    horizon: PositiveInt | None = None
    """Without it, the limit that the environment was registered with."""
    discount: Discount
    objective: Literal["return"]
    evaluation: Evaluation

    @property
    def time_limit(self) -> int:
        """The task's own, or that of the environment's registration.

        Raises:
            ValueError: There is neither.
        """
        from pipeline.core.tasks.gymnasium.environments import registered_limit

        return self.horizon or registered_limit(self.id)

    @property
    def at_once(self) -> int | None:
        return COPIES_AT_ONCE

    def environments(self, count: int) -> "VectorEnv":
        from pipeline.core.tasks.gymnasium.environments import Copies, registered

        return Copies(partial(registered, self.id), count)

    def on_film(self) -> "Copy | None":
        from pipeline.core.tasks.gymnasium.environments import on_film

        return on_film(self.id)

    @property
    def spaces(self) -> object:
        """Widths of observations and actions; None if it cannot be made here."""
        from pipeline.core.tasks.gymnasium.inspection import widths

        return widths(self.id)

    @property
    def own_files(self) -> Sequence[str]:
        from pipeline.core.tasks.gymnasium.inspection import own_files

        return own_files(self.id)

    @property
    def widths(self) -> tuple[int, int]:
        """By making it once; 0 if it cannot be made here."""
        from pipeline.core.tasks.gymnasium.inspection import widths

        return widths(self.id) or (0, 0)

    def doubts(self) -> Sequence[str]:
        from pipeline.core.tasks.gymnasium.inspection import doubts

        return doubts(self.id)

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Found by making, resetting and stepping the environment."""
        from pipeline.core.tasks.gymnasium.inspection import mistakes

        yield from mistakes(self.id, self.horizon)
