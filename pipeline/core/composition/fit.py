"""Whether two learners can be composed, known from their settings alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.agents.settings import Algorithm, Sql
from pipeline.core.config.values import parsed
from pipeline.core.tasks.multigoal.combination import MisfitError


def check_fit(first: Algorithm, second: Algorithm) -> tuple[Sql, Sql]:
    """Both learn soft Q-functions, with equal temperatures and networks.

    Raises:
        MisfitError: They do not.
    """
    for algorithm in (first, second):
        if not isinstance(algorithm, Sql):
            raise MisfitError(
                f"only soft Q-functions can be composed; '{algorithm.kind}' learns none"
            )
    assert isinstance(first, Sql)
    assert isinstance(second, Sql)
    for name, one, other in (
        ("temperature", first.temperature.fixed, second.temperature.fixed),
        ("width of hidden layers", list(first.hidden), list(second.hidden)),
    ):
        if one != other:
            raise MisfitError(
                f"both need one {name}, found {one} and {other}: the bound on what is "
                "lost is for equal temperatures, and members are composed one by one"
            )
    return first, second


def shared_settings(descriptions: Sequence[Mapping[str, Any]]) -> list[Sql]:
    """Settings of the first of two populations, if the second fits it.

    `descriptions` are what the files of weights say about them.

    Raises:
        MisfitError: Their seeds differ, or as for `check_fit`.
    """
    seeds, others = (description["seeds"] for description in descriptions)
    if seeds != others:
        raise MisfitError(f"both need the same seeds, found {seeds} and {others}")
    pairs = zip(
        *(parsed(list[Algorithm], each["algorithms"]) for each in descriptions),
        strict=True,
    )
    return [check_fit(first, second)[0] for first, second in pairs]
