"""How a policy is judged while it learns and afterwards."""

from typing import Literal

from pydantic import PositiveInt

from pipeline.core.config.values import Value


class Evaluation(Value):
    """How a policy is judged, apart from the steps it learns from."""

    every: PositiveInt
    """Environment steps of training between two evaluations."""
    episodes: PositiveInt
    """Episodes of each evaluation during training."""
    final_episodes: PositiveInt
    """Episodes of the evaluation after the last step."""
    policy: Literal["sample", "greedy"]
    """Whether actions are drawn from the policy or are its best guess."""
