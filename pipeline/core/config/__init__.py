"""What a task and an algorithm are made of: the scientific half of `params.yaml`.

Every field that can change a number is written by the user; none has a default here,
except that a Gymnasium environment may bring its own time limit.
Impossible settings cannot be written: unions are discriminated, unknown keys are
errors, and nothing changes after reading. Nothing here imports torch, so that a
mistake is answered quickly.

Units: rewards and values in reward units, entropies in nats, temperatures in reward
units per nat, times in environment steps. Actions are in [-1, 1]^d.
"""

from pipeline.core.config.algorithms import (
    Algorithm,
    CopiedTarget,
    Ddpg,
    FixedTemperature,
    GaussianNoise,
    OffPolicy,
    OrnsteinUhlenbeckNoise,
    Reinforce,
    Sac,
    SmoothTarget,
    Sql,
    TunedTemperature,
    ValueBaseline,
)
from pipeline.core.config.changes import with_temperature, with_values
from pipeline.core.config.computation import PLAIN, Computation
from pipeline.core.config.tasks import (
    ARENA_BOUND,
    START_BOUND,
    Evaluation,
    Gymnasium,
    LinearQuadratic,
    Locomotion,
    MultiGoal,
    Point,
    Push,
    Task,
    Wall,
)
from pipeline.core.config.values import (
    Discount,
    Positive,
    Value,
    either,
    sweepable,
    values_of,
)

__all__ = [
    "ARENA_BOUND",
    "PLAIN",
    "START_BOUND",
    "Algorithm",
    "Computation",
    "CopiedTarget",
    "Ddpg",
    "Discount",
    "Evaluation",
    "FixedTemperature",
    "GaussianNoise",
    "Gymnasium",
    "LinearQuadratic",
    "Locomotion",
    "MultiGoal",
    "OffPolicy",
    "OrnsteinUhlenbeckNoise",
    "Point",
    "Positive",
    "Push",
    "Reinforce",
    "Sac",
    "SmoothTarget",
    "Sql",
    "Task",
    "TunedTemperature",
    "Value",
    "ValueBaseline",
    "Wall",
    "either",
    "sweepable",
    "values_of",
    "with_temperature",
    "with_values",
]
