"""What `tasks` may say: the union of all kinds."""

from typing import Annotated, TypeAlias

from pydantic import Discriminator

from pipeline.core.tasks.gymnasium.settings import Gymnasium
from pipeline.core.tasks.linear_quadratic.settings import LinearQuadratic
from pipeline.core.tasks.multigoal.settings import MultiGoal
from pipeline.core.tasks.navigation.settings import Navigation

Task: TypeAlias = Annotated[
    MultiGoal | Navigation | LinearQuadratic | Gymnasium,
    Discriminator("kind"),
]
