"""Variants of soft Q-learning, each with one switch changed.

What the configuration offers is changed there. The rest stands in for classes and
functions of `pipeline.core` while a variant is trained; `learners.py` has it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import rounded
from benchmarks.ablation import learners
from benchmarks.patches import Patch
from pipeline.core.agents import sql
from pipeline.core.agents.settings import Sql
from pipeline.core.equations import soft
from pipeline.core.learning import value_table
from pipeline.core.population.networks import Mlp
from pipeline.study.machine.check import has_bfloat16

Changes = dict[str, Any]
"""New values of a configuration, by dotted names."""


@dataclass(frozen=True)
class Variant:
    """The default with one switch changed."""

    says: str
    """What is different, for the table."""
    changes: Callable[[Sql], Changes] = lambda default: {}
    replaced: tuple[Patch, ...] = ()
    computation: Mapping[str, str] = field(default_factory=dict)
    """How updates are computed otherwise. What stands in for a part may do things that
    cannot be in a graph."""

    def config(self, default: Sql) -> Sql:
        """The configuration that is trained."""
        data = default.model_dump(mode="json")
        for name, value in self.changes(default).items():
            *path, last = name.split(".")
            part = data
            for step in path:
                part = part[step]
            part[last] = value
        return Sql.model_validate(data, strict=False)


def _set(**changes: Any) -> Callable[[Sql], Changes]:
    """The same changes whatever the default; `__` in a name is a dot."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return lambda default: named


def _batch_64(default: Sql) -> Changes:
    return {"batch": 64, "particles.states": min(default.particles.states, 64)}


def _half_the_uniform(default: Sql) -> Changes:
    return {"value_particles": max(1, default.value_particles // 2)}


PAPER = _set(
    critics=1,
    hidden=(200, 200),
    learning_rate={"q": 1e-3, "policy": 1e-4, "constant": 1.0},
    batch=64,
    replay=1_000_000,
    updates_per_step=1,
    target={"update_every": 1000},
    value_particles=50,
    value_points="random",
    particles={"states": 64, "fixed": 100, "updated": 100},
    candidates=1,
    temperature__annealing=None,
)

IN_BFLOAT16 = "products of hidden layers in bfloat16"
BFLOAT16 = (
    Variant(IN_BFLOAT16, computation={"precision": "bfloat16"})
    if has_bfloat16()
    else Variant(
        IN_BFLOAT16,
        replaced=((Mlp, "_between", rounded.between),),
        computation={"compile": "never"},
    )
)

VARIANTS = {
    "default": Variant("the default"),
    "paper": Variant(
        "everything that a configuration can say as in appendix D of the paper, but "
        "for temperature, warm-up and length",
        PAPER,
    ),
    "random_points": Variant(
        "independent actions in the soft value, no lattice", _set(value_points="random")
    ),
    "value_particles_64": Variant(
        "64 actions in the soft value", _set(value_particles=64)
    ),
    "kernel_proposals": Variant(
        "half of the soft value's actions around the sampler's own draws",
        _half_the_uniform,
        ((sql, "SoftQLearning", learners.KernelProposals),),
        computation={"compile": "never"},
    ),
    "one_critic": Variant("one critic", _set(critics=1)),
    "mean_of_two": Variant("mean of two critics", _set(critics=2)),
    "mean_of_four": Variant("mean of four critics", _set(critics=4)),
    "lower_of_two": Variant(
        "lower of two critics in target and sampler",
        _set(critics=2),
        ((sql, "SoftQLearning", learners.LowerOfCritics),),
    ),
    "bfloat16": BFLOAT16,
    "units_256": Variant("256 units in hidden layers", _set(hidden=(256, 256))),
    "no_table": Variant(
        "values computed anew for every batch, which changes no expectation",
        replaced=((value_table, "make", learners.no_table),),
    ),
    "no_annealing": Variant(
        "the temperature is fixed from the first update",
        _set(temperature__annealing=None),
    ),
    "constant_rates": Variant(
        "learning rates do not fall", _set(learning_rate__constant=1.0)
    ),
    "averaged_weights": Variant(
        f"judged with averaged weights (rate {learners.AVERAGE_RATE:g})",
        replaced=((sql, "SoftQLearning", learners.AveragedWeights),),
    ),
    "smooth_target": Variant(
        "target follows with τ = 0.01", _set(target={"tau": 0.01})
    ),
    "update_every_1000": Variant(
        "target network updated every 1000 updates", _set(target={"update_every": 1000})
    ),
    "one_update": Variant("one update per step", _set(updates_per_step=1)),
    "three_updates": Variant("three updates per step", _set(updates_per_step=3)),
    "warmup_200": Variant("200 steps of warm-up", _set(warmup=200)),
    "warmup_6000": Variant("6000 steps of warm-up", _set(warmup=6000)),
    "batch_64": Variant("batches of 64", _batch_64),
    "particles_32": Variant(
        "32 + 32 Stein particles", _set(particles__fixed=32, particles__updated=32)
    ),
    "one_candidate": Variant("the sampler's draws as they are", _set(candidates=1)),
    "candidates_16": Variant("one of 16 draws", _set(candidates=16)),
    "action_space": Variant(
        "Stein update in action space, as the authors' code",
        replaced=((sql, "SteinSampler", learners.ActionSpaceSampler),),
    ),
    "plain_start": Variant(
        "the sampler does not begin uniform",
        replaced=((sql, "SteinSampler", learners.PlainStartSampler),),
    ),
    "narrow_kernel": Variant(
        "a tenth of the kernel's bandwidth",
        replaced=((soft, "kernel_bandwidth", learners.narrow_bandwidth),),
    ),
    "upper_median": Variant(
        "kernel bandwidth from the upper median",
        replaced=((soft, "kernel_bandwidth", learners.upper_median_bandwidth),),
    ),
    "paper_bandwidth": Variant(
        "kernel bandwidth as the text of the paper",
        replaced=((soft, "kernel_bandwidth", learners.paper_bandwidth),),
    ),
}
