"""What everybody asks of a task. Each kind answers in its own folder."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from jaxtyping import Bool, Float
from numpy import ndarray

from pipeline.core.config.evaluation import Evaluation
from pipeline.core.config.values import Value
from pipeline.core.tasks.trajectories import Trajectories

if TYPE_CHECKING:  # whoever reads settings needs no environment
    from gymnasium.vector import VectorEnv

    from pipeline.core.tasks.gymnasium.copy import Copy

COPIES_AT_ONCE: Final = 500
"""Environments that exist at one time where each is an object of its own: a body of
MuJoCo takes 1 MiB."""


class Kind(Value):
    """Settings of a task, and what follows from them.

    What is not abstract is answered for a task that has nothing particular: no plane,
    and no metric besides return and length. How a task is solved exactly is in
    `answers.py`: a training need not know it.
    """

    columns: ClassVar[tuple[str, ...]] = ("return",)
    """Metrics in the table of its runs."""
    curves: ClassVar[tuple[str, ...]] = ("return",)
    """Metrics whose learning curves are files."""
    has_plane: ClassVar[bool] = False
    """Whether `info["position"]` says where its body is in a plane."""
    is_composable: ClassVar[bool] = False
    """Whether two soft Q-functions of such tasks can become one policy."""

    can_change: ClassVar[bool] = False
    """Whether policies can be asked what they do when the task changes at test time."""
    if TYPE_CHECKING:  # fields, in the order in which each kind writes them

        @property
        def kind(self) -> str:
            """What the file calls it."""

        @property
        def discount(self) -> float:
            """γ, per environment step."""

        @property
        def objective(self) -> str:
            """The metric that its sweeps maximise."""

        @property
        def evaluation(self) -> Evaluation:
            """How policies are judged."""

    @property
    @abstractmethod
    def time_limit(self) -> int:
        """Environment steps after which an episode is cut."""

    @abstractmethod
    def environments(self, count: int) -> "VectorEnv":
        """Independent copies of the environment, without time limit or autoreset.

        Actions are in [-1, 1]^d and are scaled to the environment's box; observations
        are vectors. The time limit is the business of `Episodes`, which knows a cut
        episode from an ended one.
        """

    def on_film(self) -> "Copy | None":
        """A copy of the environment that renders itself; None: nothing can be seen."""
        return None

    @property
    def at_once(self) -> int | None:
        """Environments that may exist at one time; None: any number, being arrays."""
        return None

    @property
    @abstractmethod
    def spaces(self) -> object:
        """Something that is equal for tasks with equal observations and actions."""

    @property
    @abstractmethod
    def widths(self) -> tuple[int, int]:
        """Numbers in an observation and in an action."""

    @property
    def own_files(self) -> Sequence[str]:
        """The user's own code that it is made of: files below the current folder."""
        return ()

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """What keeps these settings from being a task: field (or "") and message."""
        yield from ()

    def doubts(self) -> Sequence[str]:
        """What is odd about it, and does no harm."""
        return ()

    def metrics(
        self, trajectories: Trajectories
    ) -> Mapping[str, Float[ndarray, " member"]]:
        """What episodes say besides return and length; see `docs/metrics.md`."""
        return {}

    def milestones(
        self,
        steps: Float[ndarray, " evaluation"],
        measured: Mapping[str, Float[ndarray, "evaluation member"]],
        *,
        after: int,
    ) -> dict[str, list[float]]:
        """When something was reached for the first time in the course of training.

        `steps` are those of each evaluation, `measured` what it found. Nothing is
        learned in the steps up to `after`: what happens before their end is chance.
        """
        return {}

    def of_failed(self, metric: str) -> float:
        """What a seed that has failed counts for in a metric; NaN: it is left out.

        It counts as worse than every other seed, and as one that achieves nothing.
        """
        return -math.inf if metric == "return" else math.nan

    def remaining(
        self, positions: Float[ndarray, "environment 2"]
    ) -> Mapping[str, Float[ndarray, " environment"]]:
        """How far there is to go from where bodies are, in a task with a plane.

        The least of each since training began is recorded as `train/NAME`.
        """
        return {}

    @property
    def ways(self) -> tuple[str, ...]:
        """Metrics that are the shares of ways of doing the task; of no episode two."""
        return ()

    @property
    def probes(self) -> Float[ndarray, "probe state"] | None:
        """States at which trained policies are looked at; None: nowhere."""
        return None

    def succeeded(self, trajectories: Trajectories) -> Bool[ndarray, "member episode"]:
        """Whether each episode did what the task is about; for kinds that change."""
        return trajectories.terminated

    def changed(self, change: Value) -> "Kind | None":
        """The task as it is at test time; None where the change does not fit it."""
        return None
