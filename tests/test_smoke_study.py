"""The smoke study from end to end: DVC, MLflow, Optuna, training, nothing replaced.

A checkout computes it as its own study, is killed in the middle and goes on; another
computes the same pretraining and fine-tuning undisturbed, in a workspace.
Everything else is asked of these two.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.study.store.files import read_yaml, write_yaml
from tests.projects import ROOT, environment, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


MINUTES = 15
"""For commands that compute a study; alone on two cores they take two."""


def clone(target):
    """A checkout with the files of this one as they are now, in a new repository."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listed, cwd=ROOT, text=True).split("\0")
    for name in names:
        if name and name != "dvc.lock" and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    prolong_pretraining(target / "studies" / "smoke.yaml")
    (target / ".venv").symlink_to(Path(sys.executable).parents[1])
    run(target, "git", "init", "-q")
    (target / ".git" / "info" / "exclude").write_text("/.venv\n")
    run(target, "git", "config", "user.name", "Tester")
    run(target, "git", "config", "user.email", "tester@example.org")
    commit(target)
    return target


def prolong_pretraining(study):
    """Give a kill time to come in the middle of it."""
    text = study.read_text()
    short = "pretrain:\n  steps: 400\n"
    assert short in text
    study.write_text(text.replace(short, "pretrain:\n  steps: 2000\n"))


def keep_transfer(study):
    """Leave the sweep, the pretraining and the fine-tuning of soft Q-learning."""
    said = read_yaml(study)
    for block in ("explore", "scratch", "theorems", "exact", "score", "compose"):
        del said[block]
    said["sweep"]["runs"] = {"sql": said["sweep"]["runs"]["sql"]}
    write_yaml(study, said)


def compute(root, *command):
    """Run a command that trains; what it printed."""
    return run(root, *command, timeout=60 * MINUTES)


def commit(root):
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-qm", "state")


@pytest.fixture(scope="module")
def made(own_store, tmp_path_factory):
    """A checkout in which a part of the study was made, and what that printed."""
    root = clone(tmp_path_factory.mktemp("first") / "checkout")
    keep_transfer(root / "studies" / "smoke.yaml")
    commit(root)
    done = subprocess.run(
        ["make", "--no-print-directory", "study", "STUDY=smoke"],
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60 * MINUTES,
        check=True,
    )
    return root, done.stdout


@pytest.fixture(scope="module")
def workspace(made):
    """Where the study of that checkout is."""
    return made[0] / ".studies" / "smoke"


@pytest.fixture(scope="module")
def checkout(own_store, tmp_path_factory):
    """The smoke study as a checkout's own, killed while it trained, and finished."""
    root = clone(tmp_path_factory.mktemp("second") / "checkout")
    shutil.copy(root / "studies" / "smoke.yaml", root / "params.yaml")
    commit(root)
    interrupt_pretraining(root)
    compute(root, "dvc", "repro")
    run(root, "python", "-m", "stages.publish")
    commit(root)
    return root


@pytest.fixture
def copied(checkout, tmp_path):
    """The same, to be changed."""
    target = tmp_path / "copied"
    shutil.copytree(checkout, target, symlinks=True)
    return target


def interrupt_pretraining(root):
    """Kill `dvc repro` and all it started once MLflow shows how pretraining goes."""
    repro = subprocess.Popen(
        ["dvc", "repro"],
        cwd=root,
        env=environment() | {"MAXENT_CHECKPOINT_SECONDS": "0.1"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60 * MINUTES
    while not live_points(root / "mlflow.db"):
        assert repro.poll() is None, "the study ended without a live curve"
        assert time.monotonic() < deadline, "no live curve"
        time.sleep(0.02)
    os.killpg(repro.pid, signal.SIGKILL)
    repro.wait()
    assert not (root / "results/runs/pretrain/sql").exists(), "it came too late"


def live_points(database):
    """Points of a pretraining that still goes on, read beside their writer."""
    if not database.exists():
        return 0
    query = """select count(*) from metrics join runs using (run_uuid)
               where runs.status = 'RUNNING' and runs.name like 'pretrain@%'
               and metrics.key = 'train/q' and metrics.step > 0"""
    try:
        address = f"file:{database}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return connection.execute(query).fetchone()[0]
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def lock(root):
    return YAML(typ="safe").load(root / "dvc.lock")["stages"]


def stages_run(output):
    """Instances that DVC ran, as its output names them."""
    lines = [line for line in output.splitlines() if line.startswith("Running stage")]
    return {line.split("'")[1] for line in lines}


def runs(root, experiment="smoke"):
    """Runs of the store, by key of their parents, as (tags, artifacts folder)."""
    with closing(sqlite3.connect(root / "mlflow.db")) as connection:
        rows = connection.execute(
            """select runs.run_uuid, runs.artifact_uri from runs
               join experiments using (experiment_id)
               where experiments.name = ? and runs.lifecycle_stage = 'active'""",
            (experiment,),
        ).fetchall()
        found = []
        for run_uuid, uri in rows:
            tags = connection.execute(
                "select key, value from tags where run_uuid = ?", (run_uuid,)
            ).fetchall()
            found.append((dict(tags), Path(uri.removeprefix("file://"))))
    return found


def parents(root):
    """Runs of stage instances, by `stage` or `stage@run`."""
    named = {}
    for tags, artifacts in runs(root):
        if "maxent.child" not in tags:
            assert instance(tags) not in named, f"{instance(tags)} is there twice"
            named[instance(tags)] = (tags, artifacts)
    return named


def instance(tags):
    stage, name = tags["maxent.stage"], tags.get("maxent.run", "")
    return f"{stage}@{name}" if name else stage


def test_make_study_ends_by_saying_how_to_look_at_it(made):
    *_, published, look = made[1].strip().splitlines()
    assert published.startswith("published ")
    assert ".venv/bin/mlflow ui --backend-store-uri sqlite:///" in look


def test_an_interrupted_study_ends_in_the_same_bytes(workspace, checkout):
    ours, theirs = lock(workspace), lock(checkout)
    for name in ("sweep@sql", "pretrain@sql", "finetune@sql_from_sql"):
        assert ours[name] == theirs[name]


def test_a_computed_study_does_nothing(checkout):
    output = compute(checkout, "dvc", "repro")
    assert "Data and pipelines are up to date." in output
    assert stages_run(output) == set()


def test_the_checkouts_own_study_is_untouched_by_another(workspace):
    root = workspace.parent.parent
    assert not (root / "dvc.lock").exists()
    assert not (root / "results").exists()
    assert run(root, "git", "status", "--porcelain") == ""
    assert (root / "mlflow.db").exists()  # the store is shared


def test_every_output_that_the_lock_names_is_an_artifact(checkout):
    published = parents(checkout)
    for name, entry in lock(checkout).items():
        files = [
            file
            for out in entry.get("outs", [])
            for path in [checkout / out["path"]]
            for file in ([path] if path.is_file() else path.rglob("*"))
            if file.is_file()
        ]
        artifacts = published[name][1] if files else None
        for file in files:
            copies = [x for x in artifacts.rglob(file.name) if x.is_file()]
            contents = [copy.read_bytes() for copy in copies]
            assert file.read_bytes() in contents, f"{name}: {file}"


def test_every_run_says_which_lock_entry_and_commit_it_is(checkout):
    for name, (tags, artifacts) in parents(checkout).items():
        assert "dvc.lock" in tags, name
        assert tags["mlflow.source.git.commit"], name
        assert list(artifacts.rglob("dvc.lock.yaml")), name


def test_publishing_again_doubles_nothing(checkout):
    before = sorted(json.dumps(tags, sort_keys=True) for tags, _ in runs(checkout))
    run(checkout, "python", "-m", "stages.publish")
    after = sorted(json.dumps(tags, sort_keys=True) for tags, _ in runs(checkout))
    assert before == after


@pytest.mark.long  # in test_publish_command.py with stages that are stubs
def test_whoever_pulls_can_publish_the_whole_run(checkout, tmp_path):
    run(checkout, "dvc", "remote", "add", "-f", "-d", "folder", str(tmp_path / "far"))
    commit(checkout)
    run(checkout, "dvc", "push")
    run(tmp_path, "git", "clone", "-q", str(checkout), "clone")
    run(tmp_path / "clone", "dvc", "pull")
    run(tmp_path / "clone", "python", "-m", "stages.publish")
    here, there = parents(checkout), parents(tmp_path / "clone")
    assert here.keys() == there.keys()
    for name, (tags, _) in here.items():
        assert there[name][0]["maxent.key"] == tags["maxent.key"]


def test_dvc_shows_metrics_and_plots(checkout, tmp_path):
    (shown,) = json.loads(run(checkout, "dvc", "metrics", "show", "--json")).values()
    assert any("summary/explore" in name for name in shown["data"])
    run(checkout, "dvc", "plots", "show", "-o", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text()
    assert "explore_multigoal-multi_goal_score" in page
    assert '"area"' in page  # our template draws the interval


def stale(root):
    """Stage instances to which something else is said, or whose code has changed."""
    run(root, "dvc", "repro", "check")
    return json.loads(run(root, "dvc", "status", "--json")).keys()


def test_another_oracle_trains_nothing(copied):
    params = copied / "params.yaml"
    hot, cold = (
        "task: multigoal, temperature: 10.0}",
        "task: multigoal, temperature: 9.0}",
    )
    assert hot in params.read_text()
    params.write_text(params.read_text().replace(hot, cold))
    judged = {"exact@multigoal_10", "score@sac", "score@ddpg"}
    assert stale(copied) == judged | {"compare", "report"}


def test_another_comparison_computes_nothing_else(copied):
    params = copied / "params.yaml"
    text = params.read_text()
    assert "confidence: 0.95" in text
    params.write_text(text.replace("confidence: 0.95", "confidence: 0.9"))
    assert stale(copied) == {"compare", "report"}


@pytest.mark.parametrize(
    ("files", "computed"),
    [
        (
            ["tracking/store.py", "claims/base.py", "report/figures/style.py"],
            {"compare", "report"},
        ),
        (["../core/equations/soft.py"], {"sweep@sql", "explore@sac", "pretrain@sql"}),
    ],
)
def test_code_makes_stale_what_runs_it_and_nothing_else(copied, files, computed):
    for file in files:
        path = copied / "pipeline/study" / file
        path.write_text(f"{path.read_text()}\n# no change\n")
    found = stale(copied)
    assert computed <= found
    trains = ("sweep@", "explore@", "pretrain@", "finetune@", "scratch@")
    trained = {name for name in found if name.startswith(trains)}
    assert bool(trained) == ("equations" in files[0])


FEW = {"check", "compare", "report", "publish"}
"""Stages that run whatever has changed."""


@pytest.mark.parametrize(
    ("change", "computed"),
    [
        ("compare.confidence=0.9", FEW),
        pytest.param(
            "algorithms.sac.temperature.fixed=7.0",
            FEW | {"sweep@sac", "explore@sac", "score@sac"},
            marks=pytest.mark.long,  # trains
        ),
    ],
)
def test_an_experiment_computes_what_follows_and_logs_to_the_same_store(
    copied, change, computed
):
    before = {tags["maxent.key"] for tags, _ in runs(copied) if "maxent.key" in tags}
    output = compute(copied, "dvc", "exp", "run", "--temp", "-S", change)
    assert stages_run(output) == computed
    shown = run(copied, "dvc", "exp", "show", "--csv", "--only-changed")
    assert change.split("=")[0] in shown
    tags = [tags for tags, _ in runs(copied) if "maxent.key" in tags]
    assert before <= {each["maxent.key"] for each in tags}  # the study before is there
    new = [each for each in tags if each["maxent.key"] not in before]
    instances = {instance(each) for each in new}
    assert computed - {"check", "publish"} <= instances
    assert not list((copied / ".dvc" / "tmp" / "exps").rglob("mlflow.db"))


def test_dvc_says_which_parameter_has_changed(copied):
    params = copied / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("confidence: 0.95", "confidence: 0.9"))
    shown = json.loads(run(copied, "dvc", "params", "diff", "--json"))["params.yaml"]
    assert shown.keys() == {"compare.confidence"}
    assert shown["compare.confidence"]["new"] == 0.9


def test_a_mistake_is_answered_before_anything_is_touched(copied):
    good = (copied / "params.yaml").read_text()
    digests = {p: p.stat().st_mtime_ns for p in (copied / "results").rglob("*")}
    (copied / "params.yaml").write_text(good.replace("particles:", "particels:", 1))
    output = run(copied, "dvc", "repro", status=255)
    assert "params.yaml:" in output
    assert "did you mean" in output
    assert "Traceback" not in output
    kept = {p for p in digests if p.exists() and "check" not in p.parts}
    assert kept == {p for p in digests if "check" not in p.parts}
