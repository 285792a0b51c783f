"""Temperatures that are fixed, that fall, and that keep an entropy."""

import pytest
import torch

from pipeline.core.agents.setting import Setting
from pipeline.core.agents.temperature import Automatic, Fixed, make
from pipeline.core.config.learner import AutomaticTemperature, FixedTemperature


def setting(*, actions=2):
    return Setting((0, 1), states=1, actions=actions, discount=0.9)


def fixed(*ends, start=None, share=0.5):
    annealing = {"temperature": start, "share": share} if start else None
    fields = {"annealing": annealing}
    each = [FixedTemperature.model_validate({"fixed": e} | fields) for e in ends]
    return Fixed(each, setting())


class TestFixed:
    @pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
    def test_without_annealing_it_stays(self, progress):
        temperature = fixed(2.0, 0.5)
        temperature.follow(progress)
        assert temperature.value.tolist() == [2.0, 0.5]

    def test_before_the_first_update_it_is_what_it_falls_to(self):
        assert fixed(2.0, start=10.0).value.tolist() == [2.0]

    def test_it_falls_evenly_in_its_logarithm_and_is_held_then(self):
        temperature, found = fixed(0.01, start=1.0, share=0.5), []
        for progress in (0.0, 0.125, 0.25, 0.5, 0.75, 1.0):
            temperature.follow(progress)
            found.append(temperature.value.item())
        # float32, and the difference of the logarithms is 4.6.
        expected = [1.0, 10**-0.5, 0.1, 0.01, 0.01, 0.01]
        assert found == pytest.approx(expected, rel=1e-5)

    def test_a_member_that_ends_above_the_start_does_not_rise_to_it(self):
        temperature = fixed(0.25, 4.0, start=1.0)
        temperature.follow(0.0)
        assert temperature.value.tolist() == [1.0, 4.0]

    def test_what_entropy_there_is_does_not_matter(self):
        temperature = fixed(2.0)
        temperature.update(torch.tensor([-5.0]))
        assert temperature.value.item() == 2.0
        assert not temperature.parts()


class TestAutomatic:
    def automatic(self, actions=3):
        fields = {"initial": 0.5, "learning_rate": 0.01, "target_entropy_per_dim": -1.0}
        automatic = [AutomaticTemperature.model_validate(fields)] * 2
        return Automatic(automatic, setting(actions=actions))

    def test_it_begins_where_it_is_told_to(self):
        torch.testing.assert_close(self.automatic().value, torch.full((2,), 0.5))

    def test_it_rises_where_the_entropy_is_below_its_target_and_falls_above(self):
        temperature = self.automatic()  # the target is -3
        temperature.update(torch.tensor([-3.5, -2.5]))
        # Adam's first step is the learning rate, of log α.
        expected = 0.5 * torch.tensor([0.01, -0.01]).exp()
        torch.testing.assert_close(temperature.value, expected)

    def test_time_does_not_matter(self):
        temperature = self.automatic()
        temperature.follow(0.7)
        torch.testing.assert_close(temperature.value, torch.full((2,), 0.5))

    def test_a_population_has_one_kind(self):
        fields = {"initial": 0.5, "learning_rate": 0.01, "target_entropy_per_dim": -1.0}
        assert isinstance(
            make([AutomaticTemperature.model_validate(fields)], setting()), Automatic
        )
        fixed = FixedTemperature.model_validate({"fixed": 1.0})
        assert isinstance(make([fixed], setting()), Fixed)
