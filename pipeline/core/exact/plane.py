"""What a solver has to know of a task in the plane."""

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from numpy import ndarray


@runtime_checkable
class Plane(Protocol):
    """A point in [-bound, bound]² that moves by x' = clip(x + a), a in [-1, 1]².

    An action costs `effort` · ‖a‖², a place is worth `reward_at`, and to have moved may
    be worth something, too.
    """

    @property
    def bound(self) -> float:
        """Half-width of the plane, in units of the largest action."""

    @property
    def effort(self) -> float:
        """c: what ‖a‖² = 1 costs, in reward units."""

    @property
    def walls(self) -> Float[ndarray, "wall 2 2"]:
        """(low corner, high corner) of each closed box that no move may touch."""

    @property
    def finest(self) -> float:
        """Length within which `reward_at` changes, but for jumps; ∞ if it has none."""

    @property
    def ends(self) -> bool:
        """Whether a place can end an episode."""

    @property
    def depends_on_time(self) -> bool:
        """Whether something happens at a step of the episode, wherever the point is."""

    @property
    def pays_moves(self) -> bool:
        """Whether `worth_of_move` is anything but 0."""

    def worth_of_move(
        self, displacement: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """The part of the reward that is due to the way made, x' - x; 0 for none."""

    def advance(
        self,
        position: Float[ndarray, "*#batch 2"],
        action: Float[ndarray, "*#batch 2"],
    ) -> tuple[ndarray, ndarray, ndarray]:
        """The new position, the reward, and whether the episode ends there."""

    def shifted(
        self,
        position: Float[ndarray, "*#batch 2"],
        displacement: Float[ndarray, "*#batch 2"],
    ) -> Float[ndarray, "... 2"]:
        """Where a displacement leads."""

    def reward_at(
        self, position_next: Float[ndarray, "*batch 2"]
    ) -> Float[ndarray, "*batch"]:
        """The part of the reward that is due to the place, in reward units."""

    def ended(
        self, position_next: Float[ndarray, "*batch 2"]
    ) -> Bool[ndarray, "*batch"]:
        """Whether an episode ends at a place."""
