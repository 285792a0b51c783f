"""Whether there is room for a study is said before anything of it is computed."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.study.machine import needs
from pipeline.study.params.needs import all_needs, check_room
from pipeline.study.params.yaml_lines import ParamsError
from tests.study.params.smoke import TEXT

FOLDER = Path(".checkpoints")


@pytest.fixture
def study(load):
    """The smoke study, in whose lines `sql` and `ddpg` would keep a lot, and long."""
    text = TEXT
    for name in ("sql", "ddpg"):
        before, here, after = text.partition(f"  {name}:\n    kind:")
        after = after.replace("replay: 2000", "replay: 90000000", 1)
        text = before + here + after
    return load(text.replace("explore:\n  steps: 400", "explore:\n  steps: 90000000"))


def test_every_training_of_a_study_is_counted(load):
    instances = {each.instance for each in all_needs(load(TEXT))}
    assert {"sweep@sql", "explore@sql_east", "finetune@sql_from_sql"} <= instances
    assert "sweep@sac" not in instances  # no space


def test_the_lines_of_all_replays_that_are_too_large_are_said(study, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
    with pytest.raises(ParamsError) as caught:
        check_room(study, FOLDER)
    first, *lines = str(caught.value).splitlines()
    assert first == "params.yaml has 2 mistakes"
    for line, name in zip(lines, ("sql", "ddpg"), strict=True):
        _, number, place, reason = line.split(":", 3)
        written = Path("params.yaml").read_text().splitlines()[int(number) - 1]
        assert written == "    replay: 90000000"
        assert place == f" algorithms.{name}.replay"
        assert reason.startswith(f" explore@{name}")
        assert "1.0 GiB are free; write at most " in reason


def test_what_is_tightest_is_warned_of_once(study, monkeypatch, capsys, tmp_path):
    plenty = SimpleNamespace(free=2**50)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: plenty)
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 999999999 kB\nSwapTotal: 0 kB\nMemAvailable: 99 kB\n")
    monkeypatch.setattr(needs, "MEMORY", info)
    check_room(study, FOLDER)
    warning = capsys.readouterr().err
    assert warning.startswith("warning: pretrain@sql may need ")
    assert warning.count("\n") == 1


def test_the_largest_replay_that_is_searched_counts_in_every_run(data, load):
    space = {"replay": {"integer": [2000, 90_000_000]}}
    data["sweep"]["runs"]["sql"]["space"] = space
    kept = {each.instance: each.transitions for each in all_needs(load(data))}
    assert kept["sweep@sql"] == 200
    data["sweep"]["budgets"]["multigoal"]["steps"] = 10**9
    data["explore"]["steps"] = 10**9
    kept = {each.instance: each.transitions for each in all_needs(load(data))}
    assert kept["sweep@sql"] == kept["explore@sql_east"] == 90_000_000
    assert kept["explore@ddpg"] == 2000


def test_a_replay_that_is_searched_is_refused_where_its_range_is(
    data, load, monkeypatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
    space = {"replay": {"integer": [2000, 90_000_000]}}
    data["sweep"]["runs"]["sql"]["space"] = space
    data["explore"]["steps"] = 90_000_000
    with pytest.raises(ParamsError, match=r"sweep\.runs\.sql\.space\.replay: explore"):
        check_room(load(data), FOLDER)
