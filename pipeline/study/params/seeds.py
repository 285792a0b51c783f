"""Seeds, and what things in `params.yaml` may be called."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from pipeline.study.params.salvage import StandIn

Name = Annotated[str, Field(pattern="^[a-z0-9_]+$", max_length=50)]
"""Part of names of stages, folders and metrics; MLflow takes metrics of 250 characters,
in which up to three names are."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _ascending(seeds: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(seeds))


Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(_ascending)]
"""In ascending order, in whichever they are written."""
StudySeeds = Annotated[Seeds, StandIn([2**32 - 1])]
UNREAD: Final = (2**32 - 2,)
"""Stand for seeds of the sweep that are written wrongly."""
SweepSeeds = Annotated[Seeds, StandIn(list(UNREAD))]
FreshSeeds = Annotated[Seeds, StandIn([2**32 - 3])]
Steps = Annotated[int, Field(gt=0), StandIn(2**62)]
"""Environment steps; where they are written wrongly, nothing is said of too few."""
