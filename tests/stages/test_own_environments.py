"""The user's own environment beside `params.yaml` counts as code of what uses it."""

import copy
import json
import subprocess

import pytest

from pipeline.study.errors import UserError
from pipeline.study.store.files import write_yaml
from pipeline.study.store.fingerprint import LINKS, check_unchanged, digests, link
from pipeline.study.workspace import prepare
from tests.projects import environment
from tests.study.params.smoke import DATA

MODULE = """
import gymnasium
import numpy as np
from gymnasium.spaces import Box


class Plain(gymnasium.Env):
    observation_space = action_space = Box(-1, 1, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return action, 1.0, False, False, {}


gymnasium.register("Plain-v0", Plain, max_episode_steps=20)
"""
TASK = {
    "kind": "gymnasium",
    "id": "mine:Plain-v0",
    "discount": 0.99,
    "objective": "return",
    "evaluation": {
        "every": 100,
        "episodes": 1,
        "final_episodes": 1,
        "policy": "greedy",
    },
}
DVC = """
stages:
  check:
    cmd: python -m stages.check
    deps: [params.yaml, .environments]
    outs: [results/check]
  scratch:
    foreach: [own, ddpg]
    do:
      cmd: echo ${item} >> ${item}.txt
      deps: ['results/check/scratch/${item}.json']
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout whose study has a task of the user's own, in a module."""
    said = copy.deepcopy(DATA)
    said["tasks"]["own"] = TASK
    said["scratch"]["runs"]["own"] = {"algorithm": "ddpg", "task": "own"}
    write_yaml(tmp_path / "params.yaml", said)
    write_yaml(tmp_path / "studies" / "mine.yaml", said)
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / ".gitignore").write_text("/results/\n")
    (tmp_path / LINKS).mkdir()
    monkeypatch.chdir(tmp_path)
    run("git", "init", "-q")
    run("git", "add", "params.yaml", "studies")
    return tmp_path


def run(*command):
    """Run a command in the current folder; what it printed."""
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def described(root, name):
    return json.loads((root / f"results/check/scratch/{name}.json").read_text())


@pytest.mark.slow
def test_dvc_computes_again_what_uses_a_module_that_was_edited(root):
    (root / "dvc.yaml").write_text(DVC)
    run("dvc", "init", "-q")
    first = run("dvc", "repro")
    assert "warning: Git does not track mine.py" in first
    assert "git add mine.py" in first
    assert "up to date" in run("dvc", "repro")
    (root / "mine.py").write_text(MODULE.replace("1.0", "2.0"))
    run("dvc", "repro")
    assert (root / "own.txt").read_text() == "own\nown\n"
    assert (root / "ddpg.txt").read_text() == "ddpg\n"
    assert described(root, "own")["code"].keys() == {"mine.py"}
    assert "code" not in described(root, "ddpg")


@pytest.mark.slow
def test_a_workspace_without_the_module_is_refused(root):
    with pytest.raises(UserError, match=r"not track mine.py.*: git add mine.py$"):
        prepare("mine", root)
    run("git", "add", "mine.py")
    assert (prepare("mine", root) / "mine.py").read_text() == MODULE


@pytest.mark.slow
def test_a_workspace_forgets_a_module_that_is_gone(root):
    run("git", "add", "mine.py")
    links = prepare("mine", root) / LINKS
    assert (links / "mine.py").read_text() == MODULE
    run("git", "mv", "mine.py", "ours.py")
    study = root / "studies" / "mine.yaml"
    study.write_text(study.read_text().replace("mine:Plain", "ours:Plain"))
    prepare("mine", root)
    assert [each.name for each in links.iterdir()] == ["ours.py"]


def test_a_stage_stops_when_the_module_has_changed_meanwhile(root):
    known = digests(["mine.py"])
    check_unchanged(known)
    (root / "mine.py").write_text("changed")
    with pytest.raises(UserError, match=r"mine\.py has changed since the study was"):
        check_unchanged(known)
    (root / "mine.py").unlink()
    with pytest.raises(UserError, match="dvc repro"):
        check_unchanged(known)


def test_links_are_to_what_is_used_and_to_nothing_else(root):
    (root / "parts").mkdir()
    (root / "parts" / "body.py").write_text("body")
    link(["mine.py", "parts/body.py"])
    assert (LINKS / "mine.py").read_text() == MODULE
    assert (LINKS / "parts" / "body.py").read_text() == "body"
    (root / "parts" / "body.py").unlink()
    link(["mine.py"])
    assert [each.name for each in LINKS.rglob("*") if each.is_symlink()] == ["mine.py"]


def test_dvc_sees_the_links_in_a_fresh_checkout():
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", LINKS / "mine.py"], check=False
    )
    assert ignored.returncode == 0
    assert (LINKS / ".gitignore").exists()
