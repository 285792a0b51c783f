"""What a stage depends on is what it runs, and no more than can change a result."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.store.files import write_yaml
from pipeline.study.store.fingerprint import (
    ROOT,
    WITHOUT_RESULTS,
    check_fresh,
    write_fingerprints,
)
from pipeline.study.store.layout import code_file
from tests.stages.trained import written
from tests.study.checked import STAGES
from tests.study.params.smoke import DATA

TRAINING = ("sweep", "explore", "pretrain", "finetune", "scratch")


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """Stage to the modules that its fingerprint names."""
    root = tmp_path_factory.mktemp("checked")
    write_fingerprints(STAGES, root)
    return {
        stage: {line.split("  ")[1] for line in _lines(root, stage)} for stage in STAGES
    }


def _lines(root, stage):
    return (root / code_file(stage)).read_text().splitlines()


@pytest.mark.parametrize("stage", TRAINING)
def test_what_is_drawn_claimed_or_published_retrains_nothing(code, stage):
    apart = ("report", "claims", "statistics", "answers", "tracking")
    for room in apart:
        assert not any(f.startswith(f"pipeline/study/{room}/") for f in code[stage])
    assert not any(f.startswith("pipeline/core/composition") for f in code[stage])
    solvers = {f for f in code[stage] if f.startswith("pipeline/core/exact/")}
    assert solvers <= {
        "pipeline/core/exact/__init__.py",
        "pipeline/core/exact/linear_system.py",
    }


@pytest.mark.parametrize(
    ("stage", "needed"),
    [
        ("explore", "pipeline/core/agents/sql.py"),
        ("explore", "pipeline/core/tasks/multigoal/environments.py"),
        ("explore", "pipeline/core/tasks/navigation/simulation.py"),
        ("explore", "pipeline/core/equations/soft.py"),
        ("explore", "pipeline/study/training/writing.py"),
        ("explore", "pipeline/study/backends/worker.py"),
        ("sweep", "pipeline/study/sweep/search.py"),
        ("score", "pipeline/study/answers/oracles.py"),
        ("exact", "pipeline/core/exact/grid.py"),
        ("score", "pipeline/core/exact/grid.py"),
        ("compose", "pipeline/core/exact/grid.py"),
        ("score", "pipeline/core/judging/scoring.py"),
        ("compose", "pipeline/study/answers/scores.py"),
        ("compose", "pipeline/core/composition/policy.py"),
        ("report", "pipeline/study/report/page.html"),
    ],
)
def test_what_a_stage_runs_is_in_its_fingerprint(code, stage, needed):
    assert needed in code[stage]
    assert f"stages/{stage}.py" in code[stage]


def test_a_figure_that_changes_is_for_what_draws_alone(code):
    figure = "pipeline/study/report/figures/style.py"
    assert [stage for stage in code if figure in code[stage]] == ["draw", "report"]


def test_every_module_that_is_left_out_is_there():
    for module in WITHOUT_RESULTS:
        path = ROOT.joinpath(*module.split("."))
        assert path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.slow
def test_no_module_that_training_loads_is_missing(code, tmp_path):
    """Imports by name, of environments for example, are no imports to be seen."""
    program = """
import sys
from tests.core.configs import algorithm, task
from pipeline.core.job import Job
from pipeline.core.judging.probes import probe
from pipeline.core.training.finish import finish
from pipeline.core.training.loop import Training
for name in ("multigoal", "swimmer", "linear_quadratic", "pendulum"):
    training = Training(Job(task(name), (algorithm("sac"),), (0,), 3))
    list(training)
    finish(training)
print("\\n".join(name for name in sys.modules if name.startswith("pipeline.")))
"""
    command = [sys.executable, "-c", program]
    loaded = subprocess.check_output(command, text=True, cwd=ROOT).split()
    known = {name.removesuffix(".py").replace("/", ".") for name in code["explore"]}
    known |= {name.removesuffix(".__init__") for name in known}
    assert set(loaded) <= known


STUB = """
class Nothing(Exception):
    def __init__(self, *_, **__): pass
    def __call__(self, *_, **__): return self
    def __getattr__(self, name): return self
    def __enter__(self): return self
    def __exit__(self, *_): return None

def __getattr__(name): return Nothing
"""
SMALL = DATA | {
    "study": {"name": "small", "seeds": [0]},
    "sweep": DATA["sweep"]
    | {"search": DATA["sweep"]["search"] | {"seeds": [100, 101]}},
}
ONE_WORKER = "def worker_limit(threads): return 1"


@pytest.mark.slow
def test_what_is_left_out_changes_no_byte(tmp_path):
    found = []
    for stubbed in (False, True):
        root = tmp_path / str(stubbed)
        for package in ("pipeline", "stages"):
            shutil.copytree(ROOT / package, root / package)
        write_yaml(root / "params.yaml", SMALL)
        run(root, "check")
        if stubbed:
            for path in left_out(root):
                path.write_text(ONE_WORKER if path.stem == "capacity" else STUB)
        for stage, name in (("sweep", "sac"), ("sweep", "sql"), ("explore", "sac")):
            run(root, stage, name)
        found.append(written(root / "results/runs") | written(root / "results/sweep"))
    assert found[0] == found[1]
    assert {"explore/sac/weights.safetensors", "sql/trials/trials.csv"} <= found[
        0
    ].keys()


def run(root, stage, *name):
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{root}/mlflow.db"}
    subprocess.run(
        [sys.executable, "-m", f"stages.{stage}", *name],
        cwd=root,
        env=environment,
        check=True,
    )


def left_out(root):
    """Every file of what is said to change no result."""
    for module in WITHOUT_RESULTS:
        path = root.joinpath(*module.split("."))
        if path.is_dir():
            yield from (each for each in path.glob("*.py") if each.stem[0] != "_")
        else:
            yield path.with_suffix(".py")


class TestFreshness:
    @pytest.fixture
    def changed(self, tmp_path, monkeypatch):
        """A checkout in which a file has changed after it was fingerprinted."""
        source = tmp_path / "stages/explore.py"
        source.parent.mkdir()
        source.write_text("new")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("pipeline.study.store.fingerprint.ROOT", tmp_path)
        path = code_file("explore")
        path.parent.mkdir(parents=True)
        path.write_text(f"{'0' * 64}  stages/explore.py\n")

    def test_a_stage_stops_when_code_has_changed_meanwhile(self, changed):
        with pytest.raises(UserError, match=r"stages/explore.py has changed since"):
            check_fresh("explore")

    def test_without_a_fingerprint_it_says_what_to_do(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UserError, match=r"explore.txt is missing.*dvc repro check"):
            check_fresh("explore")

    def test_what_was_fingerprinted_is_fresh(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write_fingerprints(["explore"], Path())
        check_fresh("explore")
