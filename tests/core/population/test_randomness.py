import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.core.population import noise
from pipeline.core.population.noise import Noise
from pipeline.core.population.randomness import integers, stream


@given(st.integers(0, 2**32), st.text(min_size=1, max_size=8), st.integers(0, 2**20))
def test_equal_names_give_equal_numbers(seed, purpose, block):
    first, second = stream(seed, purpose, block), stream(seed, purpose, block)
    assert first.random() == second.random()


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_other_names_give_other_numbers(seed, block):
    value = stream(seed, "replay", block).random()
    assert value != stream(seed + 1, "replay", block).random()
    assert value != stream(seed, "replay", block + 1).random()
    assert value != stream(seed, "warmup", block).random()


def test_noise_of_a_step_does_not_depend_on_what_was_asked_before():
    drawn = Noise([4, 5], "x", shape=(3,), kind="normal", block=8)
    forward = [drawn.at(step).clone() for step in range(20)]
    fresh = Noise([4, 5], "x", shape=(3,), kind="normal", block=8)
    for step in (19, 3, 8, 7):
        assert torch.equal(fresh.at(step), forward[step])


def test_noise_of_a_member_does_not_depend_on_the_others():
    together = Noise([4, 5], "x", shape=(3,), kind="uniform")
    alone = Noise([5], "x", shape=(3,), kind="uniform")
    assert torch.equal(together.at(70)[1], alone.at(70)[0])


def test_noise_that_is_drawn_in_parts_is_that_of_a_whole_block(monkeypatch):
    monkeypatch.setattr(noise, "AT_ONCE", 40)
    parts = Noise([4, 5], "x", shape=(5,), kind="normal")
    whole = stream(5, "x", 1).standard_normal((64, 5), dtype=np.float32)
    for step in (0, 3, 4, 63, 17):
        np.testing.assert_array_equal(parts.at(64 + step)[1], whole[step])
    assert parts._values.shape == (2, 4, 5)


@pytest.mark.parametrize(
    ("kind", "mean", "deviation"), [("normal", 0, 1), ("uniform", 0.5, 12**-0.5)]
)
def test_noise_has_the_law_it_says(kind, mean, deviation):
    values = Noise([0], "x", shape=(10_000,), kind=kind, block=4).at(0)
    assert values.mean().item() == pytest.approx(mean, abs=4 * deviation / 100)
    assert values.std().item() == pytest.approx(deviation, rel=0.05)


def test_drawing_leaves_the_global_generators_alone():
    np.random.seed(3)  # noqa: NPY002, the global generator is the point
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    integers(1, "x", 0, 5)
    Noise([0], "x", shape=(2,), kind="normal").at(0)
    assert (np.random.get_state()[1] == before[0]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


class TestOnADevice:
    """`cpu:0` is the CPU, but drawn on as a GPU would be: not `cpu`, by its name."""

    DEVICE = torch.device("cpu", 0)

    def noise(self, seeds, kind="normal", purpose="x"):
        return Noise(seeds, purpose, shape=(500,), kind=kind, device=self.DEVICE)

    def test_it_is_a_function_of_seed_purpose_and_step(self):
        late = self.noise([4, 5])
        assert torch.equal(late.at(70), self.noise([4, 5]).at(70))
        assert not torch.equal(late.at(70), late.at(71))
        assert not torch.equal(late.at(3), self.noise([4, 5], purpose="y").at(3))

    def test_a_member_draws_the_same_whoever_else_is_there(self):
        together, alone = self.noise([4, 5]), self.noise([5])
        assert torch.equal(together.at(9)[1], alone.at(9)[0])

    @pytest.mark.parametrize(
        ("kind", "law"), [("normal", stats.norm()), ("uniform", stats.uniform())]
    )
    def test_it_has_its_distribution(self, kind, law):
        drawn = self.noise([0], kind).at(0).flatten().numpy()
        assert stats.kstest(drawn, law.cdf).pvalue > 0.001
