"""Fast updates are the plain ones: alone or together, as one graph or not.

In double precision, where a difference of rounding is near 1e-16 and grows by a factor
of ten or so within 100 updates: Adam divides by what may be small.
"""

import os
import subprocess
import sys

import pytest
import torch

from pipeline.core.config.computation import PLAIN
from pipeline.core.memory.replay import Batch
from pipeline.core.population.noise import Noise
from pipeline.core.population.programs import CACHE
from tests.core import updating
from tests.core.configs import algorithm
from tests.core.plain import PlainDdpg, PlainSac, PlainSql
from tests.core.updating import ACTIONS, BATCH, SEEDS

LEARNERS = ["sql", "sql_policy", "sac", "sac_tuned", "sac_2018", "ddpg_gaussian"]
OTHERS = ["sql", "sql_policy", "sac", "sac_tuned", "sac_2018"]


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("sql", PlainSql), ("sac", PlainSac), ("ddpg_gaussian", PlainDdpg)],
)
def test_a_fast_update_is_the_plain_one(name, plain):
    agent = updating.make(name)
    slow = [
        plain(
            algorithm(name),
            {key: weights[member] for key, weights in agent.networks().items()},
            discount=updating.DISCOUNT,
        )
        for member in range(len(SEEDS))
    ]
    for index in range(3):
        sample = updating.batch(index)
        for member, learner in enumerate(slow):
            own = Batch(*(part[member] for part in sample[:5]))
            learner.update(own, **plain_arguments(name, index, member))
        agent.update(sample, index=index)
    for member, learner in enumerate(slow):
        for key, weights in learner.weights.items():
            fast = agent.networks()[key][member]
            torch.testing.assert_close(fast, weights.detach(), rtol=1e-9, atol=1e-10)


def plain_arguments(name, index, member):
    def noise(purpose, *shape, kind="normal"):
        return Noise(SEEDS, purpose, shape=shape, kind=kind).at(index)[member]

    config = algorithm(name)
    match name:
        case "sql":
            counts = config.particles
            particles = counts.fixed + counts.updated
            return {
                "shifts": noise("value particles", BATCH, 1, ACTIONS, kind="uniform"),
                "noise": noise("stein particles", counts.states, particles, ACTIONS),
                "alpha": torch.tensor(config.temperature.fixed),
            }
        case "sac":
            return {
                "noise": noise("policy noise", 2, BATCH, ACTIONS),
                "alpha": torch.tensor(config.temperature.fixed),
            }
        case _:
            return {}


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("updates", [1, 100])
def test_a_member_alone_learns_the_same_as_in_a_population(name, updates):
    together = updating.trained(name, updates)
    for row, seed in enumerate(SEEDS):
        alone = updating.trained(name, updates, seeds=(seed,))
        updating.assert_same(alone, together, row=slice(row, row + 1), tolerance=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "checks",
    [
        pytest.param(
            [
                "table(value_points='policy', candidates=2, noise_set=None)",
                "same('ddpg_gaussian')",
                "same('sac_tuned', value='network')",
            ],
            id="every learner",
        ),
        pytest.param(
            ["table(value_points='policy')", *(f"same({name!r})" for name in OTHERS)],
            id="other forms",
            marks=pytest.mark.long,
        ),
    ],
)
def test_compiled_updates_are_the_same_as_eager_ones(checks, tmp_path):
    code = "\n".join(f"updating.{check}" for check in checks)
    subprocess.run(
        [sys.executable, "-c", f"from tests.core import updating\n{code}"],
        check=True,
        timeout=500,
        env=os.environ | {CACHE: str(tmp_path), "TORCHINDUCTOR_COMPILE_THREADS": "1"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sql", "sac", "ddpg_gaussian"])
def test_products_in_bfloat16_stay_near_those_in_single_precision(name):
    torch.set_default_dtype(torch.float32)
    low = PLAIN.model_copy(update={"precision": "bfloat16"})
    exact, rounded = updating.make(name), updating.make(name, computation=low)
    state, action = updating.batch(0).state.float(), updating.batch(0).action.float()
    q, near = exact.q(state, action), rounded.q(state, action)
    assert not torch.equal(q, near)
    # Eight binary digits of every product, of which errors add up like noise.
    torch.testing.assert_close(near, q, rtol=2**-6, atol=2**-6)
