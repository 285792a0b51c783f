"""What may be written in `params.yaml` about exact answers, scores and compositions."""

from typing import Annotated

from pydantic import Field, PositiveInt

from pipeline.core.config.values import Discount, Positive, Value
from pipeline.core.tasks.multigoal.combination import Rule
from pipeline.core.tasks.multigoal.settings import Perturbation
from pipeline.study.params.salvage import StandIn
from pipeline.study.params.seeds import Name


class Gamble(Value):
    """A safe action beside one that may win: what optimism is about."""

    probability: Annotated[float, Field(gt=0, lt=1)]
    """With which the gamble wins."""
    safe: float
    win: float
    lose: float


class Theorems(Value):
    """The small processes on which the theorems are shown: a grid world, a gamble."""

    discount: Discount
    slip: Annotated[float, Field(ge=0, lt=1)]
    """Probability that a move is replaced by one drawn evenly."""
    step_cost: Positive
    goal_reward: Positive
    temperatures: Annotated[tuple[Positive, ...], Field(min_length=2)]
    sweeps: PositiveInt
    """Of soft Q-iteration."""
    gamble: Gamble


class OracleSettings(Value):
    """A task to be solved exactly, at one temperature."""

    task: str
    temperature: Positive
    spacing: Positive | None = None
    """Of its own grid; null: `exact.spacing`."""


class Exact(Value):
    """The tasks whose soft-optimal policy is computed, not learned."""

    spacing: Annotated[float, Field(gt=0), StandIn(1.0)]
    """Of the grid of positions and actions, for tasks in the plane."""
    oracles: dict[Name, OracleSettings]


class Robustness(Value):
    """What trained policies do in a task that is not quite the one they learned."""

    episodes: PositiveInt
    """Starts of each perturbation."""
    attempts: PositiveInt
    """How often each start is tried."""
    perturbations: dict[Name, Perturbation]


class Score(Value):
    """How runs of `explore` are judged against exact answers."""

    draws: Annotated[int, Field(ge=2)]
    """Actions drawn from a policy at each probe state; `docs/metrics.md` advises."""
    cells: PositiveInt
    """Along each axis of the histogram of actions."""
    robustness: Robustness


class ComposedRun(Value):
    """A sampler for two soft Q-functions together, without any environment step."""

    first: str
    """A run of `explore`, and so is `second`."""
    second: str
    combine: Rule
    updates: PositiveInt
    """Of the new sampler."""


class Compose(Value):
    """The compositions of trained policies."""

    runs: dict[Name, ComposedRun]
