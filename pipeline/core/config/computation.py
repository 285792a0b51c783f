"""How numbers are computed, as far as that can change them in their last digits."""

from typing import Literal

from pydantic import PositiveInt

from pipeline.core.config.values import Value

WORTH_COMPILING = 3000
"""Updates from which `compile: auto` compiles them: some ten seconds on a CPU, of which
a graph saves more than the seconds it takes to be made or found on disk."""
WORTH_COMPILING_ACTIONS = 20_000
"""Updates from which it compiles, too, what chooses actions, which is cheaper."""


class Computation(Value):
    """Where an update is computed, in which precision, and by which program."""

    device: Literal["cpu", "cuda"]
    precision: Literal["float32", "bfloat16"]
    """Of the products of hidden layers. Everything else is in single precision:
    weights, what enters and leaves a network, losses, targets, soft values, Adam."""
    compile: Literal["auto", "always", "updates", "never"]
    """Whether an update becomes one compiled graph, and what chooses actions another
    one. `auto`: what a training does so often that it pays, which its settings alone
    decide."""

    def settled(self, updates: int) -> "Computation":
        """The same without `auto`, for a training that makes so many updates."""
        if self.compile != "auto":
            return self
        choice = "never"
        if updates >= WORTH_COMPILING:
            choice = "updates" if updates < WORTH_COMPILING_ACTIONS else "always"
        return self.model_copy(update={"compile": choice})


class Execution(Computation):
    """What about the computation can change a number in its last digits."""

    threads: PositiveInt
    """Torch threads of each process."""
    members_per_process: PositiveInt
    """Size of the chunks that a population is cut into."""

    @property
    def computation(self) -> Computation:
        """What of it a learner has to know."""
        fields = Computation.model_fields
        return Computation(**{name: getattr(self, name) for name in fields})


PLAIN = Computation(device="cpu", precision="float32", compile="never")
"""What policies are rebuilt with, wherever they were trained."""
