"""Searches that cannot be made, and what is said of them."""

import copy
import re
from pathlib import Path

import pytest

from tests.study.params.smoke import SEARCHING

BLOCKS = ("sweep", "runs", "sac", "space", "temperature", "choice")
SPACE = ("sweep", "runs", "sac", "space")
SEARCH = ("sweep", "search")
TRIALS = ("sweep", "budgets", "multigoal", "trials")
GRID = {"choice": [0.1, 1.0, 10.0]}


@pytest.fixture
def changed():
    """A study that searches everything, with some parts changed."""

    def changed(*changes):
        data = copy.deepcopy(SEARCHING)
        for place, value in changes:
            *path, last = place
            part = data
            for key in path:
                part = part[key]
            part[last] = value
        return data

    return changed


@pytest.fixture
def answer(changed, refused):
    """What is said of such a study, in one line."""

    def answer(*changes):
        message = refused(changed(*changes))
        assert "\n" not in message
        return message

    return answer


def test_everything_that_can_be_searched_is_accepted(load, changed):
    assert load(changed()).is_searched("sac")


@pytest.mark.parametrize(
    ("field", "range_", "said"),
    [
        ("batsh", {"integer": [16, 32]}, "cannot be searched; did you mean 'batch'? a"),
        ("kind", {"choice": ["sql", "sac"]}, "cannot be searched; "),
        ("batch", {"log_unifrom": [1, 2]}, "must be {log_uniform: …} or {uniform: …}"),
        ("batch", {"uniform": [16, 32]}, "must be whole numbers; write {integer: [l"),
        ("batch", {"integer": [16, 32], "stp": 4}, "did you mean 'step'?"),
        ("batch", {"integer": [0, 32]}, "must be greater than 0, found 0"),
        (
            "batch",
            {"integer": [16, 4000]},
            "may become a batch that must be at most re",
        ),
        ("replay", {"integer": [20, 2000]}, "at most replay (20), found 32"),
        ("batch", {"choice": [16, "large"]}, "must be a whole number, found 'large'"),
        ("batch", {"choice": [16, None]}, "must be a whole number, found nothing"),
        ("batch", {"choice": [16, 32, 16]}, "different values, not 16 twice, found"),
        ("batch", {"choice": []}, "must have at least 1 value, found 0"),
        ("batch", {"choice": 16}, "must be [value, …] or {name: block, …}, found 16"),
        ("value", {"choice": ["critics", "criticl"]}, "found 'criticl'; did you mean"),
        ("hidden", {"choice": [[32], []]}, "must have at least 1 value, found 0"),
        ("hidden", {"integer": [32, 64]}, "is no number; write {choice: [va"),
        ("warmup", {"integer": [50, 200]}, "nothing is learned in 200 steps with 200"),
        ("learning_rate.q", {"log_uniform": [0.0, 1.0]}, "{uniform: [low, high]}), f"),
        ("learning_rate.q", {"log_uniform": [1e-4]}, "must have 2 values, found 1"),
        ("learning_rate.q", {"uniform": [0.2, 0.2]}, "low < high, found [0.2, 0.2]"),
        (
            "learning_rate.q",
            {"uniform": [0.1, 1.0], "step": 0.4},
            "must have a step that divides high - low; the nearest high is 0.9, found",
        ),
        (
            "temperature.fixed",
            {"uniform": [1.0, 2.0]},
            "'temperature' is searched as a",
        ),
    ],
)
def test_a_range_is_refused_where_it_stands(changed, refused, field, range_, said):
    changes = [((*SPACE, field), range_)]
    if field == "replay":
        changes.append(((*SPACE, "batch"), {"choice": [16, 32]}))
    message = refused(changed(*changes))
    assert said in message
    line = written(message)
    assert line.strip().startswith((f"{field}:", "space:", *range_, "- 0.0")), line


@pytest.mark.parametrize(
    ("place", "value", "said", "line"),
    [
        (("fixed", "fixed"), {"log_uniform": [-1, 2]}, "than 0 (a range", "- -1"),
        (("fixed", "fixed"), {"uniform": [-1, 2]}, "than 0, found -1.0", "fixed:"),
        (("fixed", "fixed"), {"choice": [1.0, "a"]}, "number, found 'a'", "fixed:"),
        (("fixed", "anealing"), None, "did you mean 'annealing'?", "anealing:"),
        (("automatic", "initial"), 0.0, "greater than 0, found 0.0", "initial:"),
        (("automatic",), {"initial": 1.0}, "must be {fixed: …} or {t", "automatic:"),
        (("automatic",), 3, "must be a mapping, found 3", "automatic:"),
        (("a" * 51,), {"fixed": 1.0}, "at most 50 characters, found 51", "aaaaa"),
        (
            ("automatic",),
            {"fixed": {"uniform": [1.0, 2.0]}},
            "'temperature.fixed' is searched over two ranges",
            "temperature:",
        ),
    ],
)
def test_a_block_is_refused_where_it_is_wrong(answer, place, value, said, line):
    message = answer(((*BLOCKS, *place), value))
    assert said in message
    assert written(message).strip().startswith(line)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [((*SEARCH, "sampler"), {"gp": {"startup_trials": 1}})],
            "sweep.runs.sac.space: gp cannot search what depends on a choice, as "
            "'temperature.fixed' does",
        ),
        (
            [
                ((*SEARCH, "sampler"), {"grid": {}}),
                (SPACE, {"batch": GRID | {"choice": [1, 2]}}),
            ],
            "sweep.runs.sql.space.temperature.fixed: has too many values for a grid",
        ),
        (
            [(TRIALS, 3), (("execution", "members_per_process"), 4)],
            "multigoal.trials: must be a multiple of 2, found 3; write 2 or 4: 2 "
            "trials are trained together (execution.members_per_process 4, 2 seeds of ",
        ),
        (
            [(TRIALS, 1), (("execution", "members_per_process"), 4)],
            "must be a multiple of 2, found 1; write 2: 2 trials are trained together",
        ),
        (
            [((*SEARCH, "lag"), 0), (("execution", "members_per_process"), 4)],
            "sweep.search.lag: must be at least 1, found 0: 2 trials are trained tog",
        ),
        (
            [((*SEARCH, "pruning", "warmup_steps"), 101)],
            "nothing would be pruned: trials on 'multigoal' end after 200 steps, and",
        ),
        (
            [((*SEARCH, "sampler"), {"tpf": {}})],
            "sweep.search.sampler: must be {tpe: …} or {gp: …} or {qmc: …}",
        ),
        ([((*SEARCH, "sampler"), {"random": 1})], "must be a mapping"),
        ([((*SEARCH, "statistic"), "iqr")], "found 'iqr'; did you mean 'iqm'?"),
        ([((*SEARCH, "pruning"), "median")], "must be none or {percentile: …}"),
    ],
)
def test_a_search_is_refused_that_cannot_be_made(changed, refused, changes, said):
    assert said in refused(changed(*changes))


def test_a_grid_has_as_many_trials_as_settings(changed, load, answer):
    small = [
        ((*SEARCH, "sampler"), {"grid": {}}),
        (("sweep", "runs", "sql", "space"), {"temperature.fixed": GRID}),
        (SPACE, {"temperature.fixed": GRID, "batch": {"integer": [1, 2]}}),
    ]
    message = answer(*small)
    assert "multigoal.trials: must be at most 3, found 4: so many settings" in message
    assert load(changed(*small, (TRIALS, 3)))
    vast = {"batch": {"integer": [1, 32]}, "updates_per_step": {"integer": [1, 999]}}
    assert "has a grid of 31968 settings, and may have 10000" in answer(
        *small, (TRIALS, 3), (SPACE, vast)
    )


def test_a_budget_needs_a_search(changed, refused, load):
    data = changed()
    del data["sweep"]["search"]
    assert "sweep.budgets: needs sweep.search" in refused(data)
    del data["sweep"]["budgets"]
    for run in data["sweep"]["runs"].values():
        run.pop("space", None)
    assert not load(data).is_searched("sac")


def test_a_search_that_no_run_uses_is_allowed(changed, load):
    data = changed()
    for run in data["sweep"]["runs"].values():
        run.pop("space", None)
    assert not load(data).is_searched("sac")


def test_of_what_is_searched_the_written_number_does_not_matter(changed, load):
    waits = ("algorithms", "sac", "warmup")
    search = ((*SPACE, "warmup"), {"integer": [50, 100]})
    assert load(changed((waits, 300), search)).is_searched("sac")


def test_of_seeds_that_are_wrong_nothing_follows(changed, refused):
    several = (("execution", "members_per_process"), 4)
    message = refused(changed(((*SEARCH, "seeds"), [-1]), several, (TRIALS, 3)))
    assert "sweep.search.seeds[0]: must be at least 0" in message
    assert "trials" not in message


def written(message: str) -> str:
    """The line of the file that a message is about, or its first mistake."""
    found = re.search(r"params.yaml:(\d+): ", message)
    assert found, message
    return Path("params.yaml").read_text().splitlines()[int(found[1]) - 1]
