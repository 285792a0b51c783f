"""Environments of the user's own are tried where they can do no harm."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.tasks.gymnasium import inspection
from pipeline.core.tasks.gymnasium.inspection import mistakes, own_files

MODULE = """
import os, signal, sys, time
import gymnasium
import numpy as np
from gymnasium.spaces import Box


class Plain(gymnasium.Env):
    observation_space = action_space = Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.act()
        return action, 0.0, False, False, {}

    def act(self):
        print("printed")
        os.write(1, b"also printed")


class Asks(Plain):
    def act(self):
        input()


class Crashes(Plain):
    def act(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Leaves(Plain):
    def act(self):
        os._exit(0)


class Hangs(Plain):
    def __init__(self):
        time.sleep(600)


class Breaks(Plain):
    def act(self):
        raise RuntimeError("broken")


for made in (Plain, Asks, Crashes, Leaves, Hangs, Breaks):
    gymnasium.register(f"{made.__name__}-v0", made, max_episode_steps=20)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a module that registers environments."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MODULE)
    return tmp_path


def said(name):
    (mistake,) = mistakes(name, None)
    field, message = mistake
    assert field == "id"
    return message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Asks", "mine:Asks-v0 raises EOFError: EOF when reading a line (mine.py:26)"),
        ("Breaks", "mine:Breaks-v0 raises RuntimeError: broken (mine.py:46)"),
        ("Crashes", "mine:Crashes-v0 ended Python (SIGSEGV) when it was stepped; look"),
        ("Leaves", "mine:Leaves-v0 ended Python (exit status 0) when it was stepped;"),
        ("Plane", "no environment 'mine:Plane-v0'; did you mean 'mine:Plain-v0'?"),
    ],
)
def test_whatever_it_does_is_answered(folder, name, expected):
    assert expected in said(f"mine:{name}-v0")


@pytest.mark.slow
def test_a_file_where_a_module_is_due_is_answered(folder):
    assert said("mine.py:Plain-v0").endswith("a module is written without .py")


@pytest.mark.slow
def test_what_does_not_answer_is_not_waited_for(folder, monkeypatch):
    monkeypatch.setattr(inspection, "LIMIT_SECONDS", 1.0)
    assert "mine:Hangs-v0 did not answer for 1 s when it was" in said("mine:Hangs-v0")


@pytest.mark.slow
def test_what_it_prints_disturbs_nothing_and_can_be_seen(folder, capfd):
    assert list(mistakes("mine:Plain-v0", None)) == []
    assert capfd.readouterr() == ("", "")
    command = [sys.executable, "-m", inspection.probe.__name__, "mine:Plain-v0"]
    path = {"PYTHONPATH": str(Path(inspection.__file__).parents[4])}
    assert "also printed" in subprocess.check_output(command, text=True, env=path)


@pytest.mark.slow
def test_the_users_own_code_is_what_it_imports_and_all_of_its_packages(folder):
    package = folder / "parts"
    package.mkdir()
    (package / "__init__.py").write_text("import helper")
    (package / "body.xml").write_text("<mujoco/>")
    (folder / "helper.py").write_text("")
    (folder / "apart.py").write_text("")
    (folder / "whole.py").write_text("import parts\nfrom mine import Plain")
    assert list(own_files("whole:Plain-v0")) == [
        "helper.py",
        "mine.py",
        "parts/__init__.py",
        "parts/body.xml",
        "whole.py",
    ]


def test_what_is_part_of_gymnasium_has_no_code_of_the_users_own():
    assert own_files("Pendulum-v1") == ()
