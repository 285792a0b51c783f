"""Thousands of broken studies: each is answered, and none ends in a traceback."""

import copy
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.study.params.load import load_study
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import ParamsError
from pipeline.study.store.files import write_yaml
from tests.study.params.smoke import SEARCHING, TEXT


def places(part: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a nested value, the value itself left out."""
    match part:
        case dict():
            items = list(part.items())
        case list():
            items = list(enumerate(part))
        case _:
            items = []
    return [
        each
        for key, value in items
        for each in [(*place, key), *places(value, (*place, key))]
    ]


PLACES = places(SEARCHING)
REQUIRED = [
    ("study", "seeds"),
    ("execution", "threads"),
    ("tasks", "multigoal", "horizon"),
    ("tasks", "swimmer_forward", "evaluation", "policy"),
    ("algorithms", "sql", "particles", "updated"),
    ("algorithms", "sac", "temperature"),
    ("algorithms", "ddpg", "noise", "ornstein_uhlenbeck", "sigma"),
    ("sweep", "budgets", "multigoal", "trials"),
    ("sweep", "search", "sampler"),
    ("sweep", "search", "sampler", "tpe", "candidates"),
    ("sweep", "search", "pruning", "warmup_steps"),
    ("sweep", "runs", "sql", "space"),
    ("sweep", "runs", "sac", "space", "temperature"),
    ("sweep", "runs", "sac", "space", "temperature", "choice", "fixed", "annealing"),
    ("finetune", "runs", "sql_from_sql", "start"),
    ("compare", "confidence"),
]
odd_numbers = [True, -1, 0, 1, 1.5, 1e-4, 1e308, math.nan, math.inf, 10**30]
odd_texts = ["", "sql", "multigoal", "1e-4", "ünïcode", "a b", "kind"]
odd_ranges = [
    {"log_uniform": [0, 1]},
    {"uniform": [0, 1], "step": 0.3},
    {"uniform": [-1e308, 1e308], "step": 1e-308},
    {"integer": [1, 2**53]},
    {"choice": [1, 1.0, True, None]},
    {"choice": {"a": {"fixed": {"choice": {"b": {}}}}}},
]
odd_parts = [None, [], [1], {}, [[]], {"fixed": 1.0}, {"kind": "sql"}, {"a": {"b": []}}]
odd_values = st.sampled_from(
    [*odd_numbers, *odd_texts, *odd_parts, *odd_ranges]
) | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=5)


def at(data: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        data = data[key]
    return data


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The smoke study with one to three changes."""
    data = copy.deepcopy(SEARCHING)
    for _ in range(draw(st.integers(1, 3))):
        available = places(data)
        if not available:
            break
        *parent, last = draw(st.sampled_from(available))
        around = at(data, tuple(parent))
        match draw(st.sampled_from(["delete", "replace", "rename", "swap"])):
            case "delete":
                del around[last]
            case "replace":
                around[last] = copy.deepcopy(draw(odd_values))
            case "rename" if isinstance(around, dict):
                around[
                    draw(st.sampled_from([f"{last}s", last[:-1], "kind", "X y"]))
                ] = around.pop(last)
            case _:
                other = draw(st.sampled_from(PLACES))
                around[last] = copy.deepcopy(at(SEARCHING, other))
    return data


def check_answer(path: Path) -> None:
    """A study, or a message with file and line; never another exception."""
    last = len(path.read_bytes().splitlines()) + 1
    try:
        assert isinstance(load_study(path), Study)
    except ParamsError as error:
        lines = str(error).split("\n")
        if len(lines) > 1:
            assert lines.pop(0) == f"{path} has {len(lines)} mistakes"
        for line in lines:
            found = re.match(rf"{re.escape(str(path))}:(\d+): .+", line)
            assert found, line
            assert 1 <= int(found[1]) <= last


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations")


class TestMutations:
    @settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
    @given(data=mutated())
    def test_of_the_content_never_end_in_a_traceback(self, folder, data):
        write_yaml(folder / "params.yaml", data)
        check_answer(folder / "params.yaml")

    @settings(max_examples=200, deadline=None)
    @given(
        where=st.integers(0, len(TEXT) - 1),
        length=st.integers(0, 30),
        text=st.text("{}[]:,-&*!|>'\"%@` \n\tab0.1#?~\x00é", max_size=4),
    )
    def test_of_the_text_never_end_in_a_traceback(self, folder, where, length, text):
        mutation = TEXT[:where] + text + TEXT[where + length :]
        (folder / "params.yaml").write_text(mutation)
        check_answer(folder / "params.yaml")

    @pytest.mark.parametrize("place", REQUIRED, ids=lambda place: ".".join(place))
    def test_a_misspelt_key_is_recognised_where_it_stands(self, folder, place):
        data = copy.deepcopy(SEARCHING)
        *parent, last = place
        around = at(data, tuple(parent))
        around[f"{last}_"] = around.pop(last)
        write_yaml(folder / "params.yaml", data)
        with pytest.raises(ParamsError, match=f"did you mean '{last}'") as caught:
            load_study(folder / "params.yaml")
        line = int(str(caught.value).split(":")[1])
        text = (folder / "params.yaml").read_text().splitlines()[line - 1]
        assert text.strip().startswith(f"{last}_:")
