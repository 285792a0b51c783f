import os

import pytest

from pipeline.study.machine import capacity


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A quiet machine of four cores."""
    monkeypatch.delenv("MAXENT_WORKERS", raising=False)
    monkeypatch.setattr(capacity, "available_cores", lambda: 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.5, 0.5))


@pytest.mark.parametrize(("threads", "limit"), [(1, 4), (2, 2), (3, 1), (4, 1)])
def test_there_are_no_more_threads_than_cores(threads, limit, capsys):
    assert capacity.worker_limit(threads) == limit
    assert capsys.readouterr().err == ""


def test_fewer_workers_are_the_users_choice(monkeypatch, capsys):
    monkeypatch.setenv("MAXENT_WORKERS", "3")
    assert capacity.worker_limit(1) == 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("asked", "threads", "limit"), [("5", 1, 4), ("3", 2, 2), ("2", 3, 1)]
)
def test_more_workers_than_fit_are_fewer_and_said(
    asked, threads, limit, monkeypatch, capsys
):
    monkeypatch.setenv("MAXENT_WORKERS", asked)
    assert capacity.worker_limit(threads) == limit
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: MAXENT_WORKERS={asked} with {threads} thread")
    assert "more than the 4 cores that can be used" in warning
    assert warning.endswith(f"going on as with MAXENT_WORKERS={limit}\n")
    assert warning.count("\n") == 1


def test_more_threads_than_cores_are_answered_with_the_setting(capsys):
    assert capacity.worker_limit(8) == 1
    warning = capsys.readouterr().err
    assert "execution.threads is 8, but 4 cores can be used" in warning
    assert "set execution.threads to 4 or less in params.yaml" in warning
    assert warning.count("\n") == 1


class TestLoad:
    def test_the_stage_before_is_no_reason_to_warn(self, monkeypatch, capsys):
        monkeypatch.setattr(os, "getloadavg", lambda: (4.9, 0.0, 0.0))
        capacity.worker_limit(1)
        assert capsys.readouterr().err == ""

    def test_other_programs_are_said_with_what_to_set(self, monkeypatch, capsys):
        monkeypatch.setattr(os, "getloadavg", lambda: (7.25, 0.0, 0.0))
        assert capacity.worker_limit(1) == 4
        warning = capsys.readouterr().err
        assert warning.startswith("warning: the load of this machine is 7.2 on 4 cores")
        assert warning.endswith("end them, or train with MAXENT_WORKERS=2\n")
        assert warning.count("\n") == 1

    def test_one_worker_cannot_be_fewer(self, monkeypatch, capsys):
        monkeypatch.setattr(os, "getloadavg", lambda: (7.25, 0.0, 0.0))
        capacity.worker_limit(4)
        assert capsys.readouterr().err.endswith("end them\n")

    def test_the_load_is_of_all_cores_and_not_of_those_that_can_be_used(
        self, monkeypatch, capsys
    ):
        monkeypatch.setattr(os, "cpu_count", lambda: 64)
        monkeypatch.setattr(os, "getloadavg", lambda: (30.0, 0.0, 0.0))
        capacity.worker_limit(1)
        assert capsys.readouterr().err == ""
