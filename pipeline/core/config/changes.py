"""An algorithm with other numbers."""

from typing import assert_never

from pipeline.core.config.algorithms import (
    Algorithm,
    Ddpg,
    FixedTemperature,
    Reinforce,
    Sac,
    Sql,
)


def with_temperature(algorithm: Algorithm, temperature: float) -> Sql | Sac | Reinforce:
    """The same learner with its temperature held at a given α.

    Raises:
        ValueError: The learner has no temperature.
    """
    match algorithm:
        case Sql() | Sac() | Reinforce():
            held = FixedTemperature(
                fixed=temperature,
                annealing=getattr(algorithm.temperature, "annealing", None),
            )
            return algorithm.model_copy(update={"temperature": held})
        case Ddpg():
            raise ValueError("ddpg has no temperature")
        case _:
            assert_never(algorithm)


def with_values(algorithm: Algorithm, values: dict[str, float]) -> Algorithm:
    """The same learner with some numbers replaced, given by dotted names."""
    data = algorithm.model_dump(mode="json")
    for name, value in values.items():
        *path, last = name.split(".")
        part = data
        for step in path:
            part = part[step]
        if last not in part:
            raise KeyError(name)
        part[last] = value
    return type(algorithm).model_validate(data, strict=False)
