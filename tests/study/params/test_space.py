"""What is searched: ranges, choices, and spaces of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.config.values import parsed
from pipeline.study.params.ranges import Integer, LogUniform, Range, Uniform, read_point
from pipeline.study.params.space import (
    corners,
    dimensions,
    grid,
    grid_size,
    largest,
    settings,
)
from pipeline.study.store.files import read_csv, write_csv
from tests.core.configs import algorithm

shares = st.floats(0, 1, exclude_max=True)
numbers = st.floats(1e-300, 1e300)
whole = st.integers(-(2**40), 2**40)


def space(written):
    return parsed(dict[str, Range], written)


NESTED = {
    "temperature": {
        "choice": {
            "fixed": {"fixed": {"log_uniform": [0.1, 10.0]}, "annealing": None},
            "automatic": {
                "target_entropy_per_dim": {"choice": [-1.0, -0.5]},
                "inner": {"rate": {"uniform": [0.0, 1.0], "step": 0.5}},
            },
            "off": {},
        }
    },
    "batch": {"integer": [8, 24], "step": 8},
}
FINITE = {
    **NESTED,
    "temperature": {
        "choice": NESTED["temperature"]["choice"] | {"fixed": {"fixed": 1.0}}
    },
}


class TestRanges:
    @given(bounds=st.tuples(numbers, numbers), share=shares)
    def test_a_number_is_within_its_bounds(self, bounds, share):
        low, high = sorted(bounds)
        if low < high:
            assert low <= LogUniform(log_uniform=(low, high)).at(share) <= high
            assert low <= Uniform(uniform=(low, high)).at(share) <= high

    @given(low=whole, step=st.integers(1, 2**20), count=st.integers(1, 50))
    def test_every_whole_number_in_steps_has_its_share(self, low, step, count):
        range_ = Integer(integer=(low, low + step * count), step=step)
        shares = [(n + 0.5) / (count + 1) for n in range(count + 1)]
        assert tuple(map(range_.at, shares)) == range_.values
        assert len(set(range_.values)) == range_.count == count + 1
        assert {low, low + step * count} <= set(range_.values)

    @given(low=whole, step=st.integers(1, 999), count=st.integers(1, 50))
    def test_steps_between_numbers_are_those_of_the_digits(self, low, step, count):
        low, step, high = low / 1000, step / 1000, (low + step * count) / 1000
        range_ = Uniform(uniform=(low, high), step=step)
        assert range_.count == count + 1
        assert (range_.values[0], range_.values[-1]) == (low, high)

    def test_steps_are_numbers_that_one_would_write(self):
        assert Uniform(uniform=(0.0, 0.3), step=0.1).values == (0.0, 0.1, 0.2, 0.3)

    def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean(self):
        range_ = LogUniform(log_uniform=(1e-4, 1e-2))
        assert range_.at(0.5) == pytest.approx(1e-3)
        assert LogUniform(log_uniform=(1e-300, 1e300)).at(0.5) == pytest.approx(1.0)

    def test_a_wide_range_is_not_listed_to_find_a_number_in_it(self):
        assert Integer(integer=(0, 2**53)).at(0.5) == 2**52

    @pytest.mark.parametrize(
        ("range_", "points"),
        [
            ({"choice": [1, 2.5, -3e-7]}, [1, 2.5, -3e-7]),
            ({"choice": [True, False]}, [True, False]),
            ({"choice": [None, "critics"]}, [None, "critics"]),
            ({"choice": [[64], [64, 64]]}, ["[64]", "[64, 64]"]),
            ({"choice": {"a": {}, "b": {}}}, ["a", "b"]),
            ({"integer": [-3, 3]}, [-3, 3]),
            ({"uniform": [0, 1], "step": 0.1}, [0.0, 0.3]),
            ({"log_uniform": [1e-9, 1.0]}, [1e-9, 0.1 + 0.2]),
        ],
    )
    def test_a_table_reads_back_as_what_was_tried(self, tmp_path, range_, points):
        write_csv(tmp_path / "table.csv", ["x"], [[point] for point in points])
        cells = [row["x"] for row in read_csv(tmp_path / "table.csv")]
        read = [read_point(parsed(Range, range_), cell) for cell in cells]
        assert [(type(point), point) for point in read] == [
            (type(point), point) for point in points
        ]

    @pytest.mark.parametrize(
        "range_",
        [
            {"integer": [3, 3]},
            {"uniform": [1.0, 0.0]},
            {"uniform": [-1e308, 1e308]},
            {"log_uniform": [0.0, 1.0]},
            {"uniform": [0.0, 1.0], "step": 0.3},
            {"integer": [0, 10], "step": 4},
            {"choice": []},
            {"choice": {}},
            {"choice": [1, True]},
            {"choice": {"a": {"x": {"y": {"uniform": [1.0, 0.0]}}}}},
        ],
    )
    def test_what_has_no_points_or_one_twice_cannot_be_written(self, range_):
        with pytest.raises(ValidationError):
            parsed(Range, range_)


class TestSpace:
    def test_what_is_in_a_block_is_searched_where_the_block_is_chosen(self):
        found = dimensions(space(NESTED))
        assert list(found) == [
            "batch",
            "temperature",
            "temperature.fixed",
            "temperature.inner.rate",
            "temperature.target_entropy_per_dim",
        ]
        active = {
            label: [name for name in found if found[name].is_active(params)]
            for label in ("fixed", "automatic", "off")
            for params in [{"temperature": label}]
        }
        assert active == {
            "fixed": ["batch", "temperature", "temperature.fixed"],
            "automatic": [
                "batch",
                "temperature",
                "temperature.inner.rate",
                "temperature.target_entropy_per_dim",
            ],
            "off": ["batch", "temperature"],
        }

    def test_what_is_in_an_inactive_choice_is_inactive(self):
        inner = {"choice": {"b": {"x": {"integer": [1, 2]}}}}
        found = dimensions(space({"t": {"choice": {"a": {"k": inner}, "off": {}}}}))
        assert found["t.k.x"].is_active({"t": "a", "t.k": "b"})
        assert not found["t.k.x"].is_active({"t": "off"})

    def test_one_setting_in_two_blocks_is_one_dimension(self):
        rate = {"rate": {"uniform": [0.0, 1.0]}}
        found = dimensions(space({"t": {"choice": {"a": rate, "b": rate, "c": {}}}}))
        assert list(found) == ["t", "t.rate"]
        assert [found["t.rate"].is_active({"t": label}) for label in "abc"] == [
            True,
            True,
            False,
        ]
        other = {"rate": {"uniform": [0.0, 2.0]}}
        with pytest.raises(ValueError, match="over two ranges"):
            dimensions(space({"t": {"choice": {"a": rate, "b": other}}}))

    def test_params_become_settings_with_the_block_that_was_chosen(self):
        automatic = {
            "batch": 8,
            "temperature": "automatic",
            "temperature.inner.rate": 0.5,
            "temperature.target_entropy_per_dim": -1.0,
        }
        assert settings(space(NESTED), automatic) == {
            "batch": 8,
            "temperature": {"target_entropy_per_dim": -1.0, "inner": {"rate": 0.5}},
        }
        fixed = {"batch": 8, "temperature": "fixed", "temperature.fixed": 3.0}
        assert settings(space(NESTED), fixed) == {
            "batch": 8,
            "temperature": {"fixed": 3.0, "annealing": None},
        }

    def test_lists_become_lists_again(self):
        hidden = space({"hidden": {"choice": [[64], [64, 64]]}})
        assert settings(hidden, {"hidden": "[64, 64]"}) == {"hidden": [64, 64]}

    def test_a_grid_has_every_setting_once(self):
        found = grid(space(FINITE))
        assert len(found) == grid_size(space(FINITE)) == 3 * (1 + 2 * 3 + 1)
        assert len({tuple(params.items()) for params in found}) == len(found)
        known = dimensions(space(FINITE))
        for params in found:
            assert list(params) == [n for n in known if known[n].is_active(params)]

    def test_what_has_no_end_has_no_grid(self):
        for measure in (grid, grid_size):
            with pytest.raises(ValueError, match=r"temperature\.fixed"):
                measure(space(NESTED))
        wide = {"batch": {"integer": [1, 2**50]}, "replay": {"integer": [1, 2**50]}}
        assert grid_size(space(wide)) == 2**100

    def test_corners_have_each_end_before_they_have_them_together(self):
        found = list(corners(space(NESTED), 1000))
        assert len(found) == 2 + 3 + 2 + 2 + 2 + 2 * 3 * 2 * 2 * 2
        for name, end in (("batch", 24), ("temperature.fixed", 10.0)):
            assert any(params[name] == end for params in found[:11])
        assert any(
            p["temperature"] == "automatic" and p["temperature.inner.rate"] == 1.0
            for p in found[:11]
        )
        assert {
            "batch": 24,
            "temperature": "fixed",
            "temperature.fixed": 10.0,
        }.items() <= (
            max(
                found,
                key=lambda p: (
                    p["batch"],
                    p["temperature"] == "fixed",
                    p["temperature.fixed"],
                ),
            ).items()
        )
        assert len(list(corners(space(NESTED), 5))) == 5

    def test_the_largest_replay_is_that_of_the_space(self):
        sac = algorithm("sac")
        assert largest(sac, {}) == sac
        for range_ in ({"integer": [60, 500]}, {"choice": [500, 80]}):
            assert largest(sac, space({"replay": range_})).replay == 500
