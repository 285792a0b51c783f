import os
import sys

import pytest

from pipeline.study.machine import cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A machine of eight cores, on which this process is in the group `user/app`."""
    own = tmp_path / "own"
    own.write_text("1:cpu:/elsewhere\n0::/user/app\n")
    (tmp_path / "user/app").mkdir(parents=True)
    monkeypatch.setattr(cores, "OWN_CGROUP", own)
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    return tmp_path


def test_all_that_the_process_may_run_on_without_a_quota(groups):
    assert cores.available_cores() == 8


def test_max_is_no_quota(groups):
    (groups / "cpu.max").write_text("max 100000\n")
    assert cores.available_cores() == 8


@pytest.mark.parametrize("group", ["", "user", "user/app"])
def test_the_quota_of_the_own_group_and_of_those_above_it_counts(groups, group):
    (groups / group / "cpu.max").write_text("300000 100000\n")
    assert cores.available_cores() == 3


def test_the_smallest_quota_counts(groups):
    (groups / "cpu.max").write_text("400000 100000\n")
    (groups / "user/cpu.max").write_text("200000 100000\n")
    assert cores.available_cores() == 2


@pytest.mark.parametrize(("quota", "whole"), [(150_000, 2), (20_000, 1)])
def test_part_of_a_core_is_one_more(groups, quota, whole):
    (groups / "cpu.max").write_text(f"{quota} 100000\n")
    assert cores.available_cores() == whole


def test_a_quota_above_the_affinity_gives_no_more(groups, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    (groups / "cpu.max").write_text("400000 100000\n")
    assert cores.available_cores() == 1


def test_a_machine_without_control_groups_has_no_quota(groups, monkeypatch, tmp_path):
    monkeypatch.setattr(cores, "OWN_CGROUP", tmp_path / "absent")
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "absent")
    assert cores.available_cores() == 8
