"""What `python -m stages.film` shows of a run, and what it refuses."""

import ctypes.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pipeline.core.agents import factory
from pipeline.core.config.values import parsed
from pipeline.core.judging.evaluation import Evaluator
from pipeline.core.judging.filming import Film
from pipeline.core.tasks.settings import Task
from pipeline.core.training.weights import policy_bytes
from pipeline.study.store.files import write_csv, write_json
from pipeline.study.store.fingerprint import ROOT
from pipeline.study.store.runs import Run
from stages import film
from tests.core.configs import COMMON, algorithm

SEEDS = 4, 5, 6
STEPS = 40
FAILED = 6
WORLD = {"half_width": 8.0, "start": (0.0, 0.0), "finish_line": 4.0}
TASK = COMMON | {
    "kind": "navigation",
    "world": WORLD,
    "body": "ant",
    "reward": {"speed": "any", "effort": 0.1},
    "end": "never",
    "horizon": 8,
}
CHEETAH = {"kind": "gymnasium", "id": "HalfCheetah-v5", "horizon": 8}
TASKS = {
    "ant": TASK,
    "point": TASK | {"body": "point"},
    "pendulum": COMMON | CHEETAH | {"id": "Pendulum-v1"},
    "cheetah": COMMON | CHEETAH,
}


def described(name, root):
    task, config = parsed(Task, TASKS[name]), algorithm("sql")
    how = ("sql", config, SEEDS, STEPS, None, False)
    return Run("explore", name, name, task, *how, root=root)


@pytest.fixture(scope="module")
def policies():
    """Fresh ones for every task."""
    made = {}
    for name, written in TASKS.items():
        task = parsed(Task, written)
        states, actions = task.widths
        config = [algorithm("sql")] * len(SEEDS)
        widths = {"states": states, "actions": actions}
        made[name] = factory.make(config, SEEDS, discount=0.9, **widths), widths
    return made


@pytest.fixture
def told(tmp_path, monkeypatch, capsys, policies):
    """What the command says where each of these policies is that of a run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUJOCO_GL", os.environ.get("MUJOCO_GL", "egl"))
    for name, (agent, widths) in policies.items():
        run = described(name, tmp_path / "results/runs")
        write_json(run.folder / "run.json", run.described())
        weights = {key: tensor.numpy() for key, tensor in agent.networks().items()}
        config = [run.algorithm] * len(SEEDS)
        content = policy_bytes(run.task, config, SEEDS, weights, **widths)
        (run.folder / "weights.safetensors").write_bytes(content)
        failed = {"seed": [FAILED], "step": [20], "reason": ["it fell"]}
        write_csv(
            run.folder / "failures.csv", [*failed], zip(*failed.values(), strict=True)
        )

    def run(*args):
        monkeypatch.setattr("sys.argv", ["film", *args])
        film.main()
        return capsys.readouterr().out

    return run


@pytest.fixture
def egl():
    """Without a library that draws the test is skipped, and fails in CI."""
    if ctypes.util.find_library("EGL") is None:
        if os.environ.get("CI"):
            pytest.fail("there is no libEGL: .ci/run installs it")
        pytest.skip("there is no libEGL: apt install libegl1")


@pytest.mark.slow
@pytest.mark.usefixtures("egl")
def test_an_animation_is_that_episode_of_the_final_evaluation(told, policies):
    said = told("explore", "ant", "--seed", "5", "--episode", "2")
    first, came_of_it, went = said.splitlines()
    assert first == "films/explore_ant.webp: episode 2 of seed 5 of explore/ant"
    agent, _ = policies["ant"]
    task = parsed(Task, TASKS["ant"])
    judged = Evaluator(task, SEEDS, episodes=task.evaluation.final_episodes)
    seen = judged(agent, block=STEPS + 1)
    start, *_, end = seen.positions[1, 2]
    assert f"return {seen.returns[1, 2]:.2f}" in came_of_it
    assert "was cut after 8 steps (0.4 s)" in came_of_it
    places = re.findall(r"-?\d+\.\d+", went)
    far = np.linalg.norm(end - start)
    assert places == [f"{x:.2f}" for x in (far, *start, *end)]


@pytest.mark.slow
@pytest.mark.usefixtures("egl")
def test_a_body_of_gymnasiums_own_is_followed_too(told):
    said = told("explore", "cheetah", "--to", "moments.png")
    assert said.count("\n") == 2  # it is in no plane in which it could have gone far
    with Image.open("moments.png") as picture:
        assert np.asarray(picture).std() > 5  # there is something to be seen


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("explor ant", "no stage 'explor' that trains; did you mean 'explore'?"),
        ("explore at", "no trained run 'at' of explore; did you mean 'ant'? there are"),
        ("scratch ant", "there are none; train it: dvc repro scratch@ant"),
        ("explore ant --seed 9", "explore/ant has no seed 9; it has: 4, 5, 6"),
        ("explore ant --seed 6", "seed 6 failed after 20 steps"),
        ("explore ant --episode 4", "no episode 4: the final evaluation has 0 to 3"),
        ("explore ant --to a.mp4", "a.mp4: the ending of its name must be one of"),
        ("explore point", "'point', the task of explore/point, cannot be filmed: only"),
    ],
)
def test_what_cannot_be_filmed_is_said_in_one_line(told, capsys, args, said):
    with pytest.raises(SystemExit, match="2"):
        told(*args.split())
    found = capsys.readouterr().err
    assert found.startswith("error: ")
    assert said in found
    assert found.count("\n") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("told")
def test_where_nothing_can_draw_it_is_said_what_is_needed():
    command = [sys.executable, "-m", "stages.film", "explore", "ant"]
    changed = {"MUJOCO_GL": "crayons", "PYTHONPATH": str(ROOT)}
    refused = subprocess.run(
        command, env=os.environ | changed, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: ant cannot be drawn: ")
    needed = (
        "MUJOCO_GL=egl needs libEGL (Debian: apt-get install libegl1 libgl1-mesa-dri)"
    )
    assert needed in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_said(told, monkeypatch, tmp_path, capsys):
    seen = Film([np.zeros((4, 4, 3), np.uint8)] * 2, 0.1, 0.1, [], 0.0, 1, ended=False)
    monkeypatch.setattr(film, "_played", lambda *_: seen)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="2"):
        told("explore", "ant", "--to", "file/ant.png")
    assert "error: file/ant.png cannot be written: " in capsys.readouterr().err


def test_an_interrupted_film_ends_as_shells_have_it(told, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "film", interrupt)
    with pytest.raises(SystemExit, match="130"):
        told("explore", "ant")
