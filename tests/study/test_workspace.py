import subprocess
from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.machine.settings import store_root
from pipeline.study.workspace import prepare

SMOKE = Path(__file__).parents[2] / "studies" / "smoke.yaml"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def dvc(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["dvc", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with a study, a result of its own, and a file that Git ignores."""
    files = {
        "params.yaml": "the checkout's own",
        "dvc.yaml": "stages: {}",
        "dvc.lock": "the checkout's own",
        ".dvc/config": "the checkout's own",
        ".dvc/plots/band.json": "{}",
        "pipeline/core/agent.py": "agent",
        "studies/smoke.yaml": SMOKE.read_text(),
        ".gitignore": "/.studies/\n/results/\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "own.csv").write_text("own")
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a checkout, its workspaces and Git's own files left out."""
    return {
        name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and not (name := path.relative_to(folder).as_posix()).startswith(
            (".git/", ".studies/")
        )
    }


def test_it_has_the_tracked_files_and_the_study_as_its_params(checkout):
    workspace = prepare("smoke", checkout)
    assert workspace == checkout / ".studies" / "smoke"
    assert (workspace / "params.yaml").read_text() == SMOKE.read_text()
    assert (workspace / "pipeline" / "core" / "agent.py").read_text() == "agent"
    assert (workspace / ".dvc" / "plots" / "band.json").exists()
    assert not (workspace / "results").exists()
    assert not (workspace / "dvc.lock").exists()


class TestTheStoreOfAWorkspace:
    def test_is_the_checkouts(self, checkout, monkeypatch):
        monkeypatch.delenv("DVC_ROOT", raising=False)
        monkeypatch.chdir(prepare("smoke", checkout))
        assert store_root() == checkout

    def test_is_the_checkouts_where_workspaces_are_behind_a_link(
        self, checkout, tmp_path_factory, monkeypatch
    ):
        monkeypatch.delenv("DVC_ROOT", raising=False)
        elsewhere, shortcut = tmp_path_factory.mktemp("disk"), checkout / "shortcut"
        (checkout / ".studies").symlink_to(elsewhere)
        shortcut.symlink_to(checkout)
        monkeypatch.chdir(prepare("smoke", shortcut))
        assert Path.cwd() == elsewhere / "smoke"
        assert store_root() == checkout

    def test_moves_with_the_checkout(self, checkout, monkeypatch):
        monkeypatch.delenv("DVC_ROOT", raising=False)
        prepare("smoke", checkout)
        moved = checkout.rename(checkout.with_name("moved"))
        monkeypatch.chdir(moved / ".studies" / "smoke")
        assert store_root() == moved


def test_a_link_that_leads_nowhere_is_told_in_one_line(checkout):
    (checkout / ".studies").symlink_to(checkout / "unmounted")
    with pytest.raises(UserError, match=r"\.studies/smoke cannot be made: File exists"):
        prepare("smoke", checkout)


def test_the_checkout_is_not_touched(checkout):
    before = content(checkout)
    prepare("smoke", checkout)
    assert content(checkout) == before


def test_it_follows_the_checkout_and_keeps_its_own_results(checkout):
    workspace = prepare("smoke", checkout)
    (workspace / "dvc.lock").write_text("the workspace's own")
    (workspace / "results").mkdir()
    (workspace / "results" / "kept.csv").write_text("kept")
    (checkout / "pipeline" / "core" / "agent.py").write_text("edited, not committed")
    git(checkout, "rm", "--cached", "dvc.yaml")
    (checkout / "pipeline" / "new.py").write_text("new")
    git(checkout, "add", "pipeline/new.py")
    prepare("smoke", checkout)
    agent = workspace / "pipeline" / "core" / "agent.py"
    assert agent.read_text() == "edited, not committed"
    assert (workspace / "pipeline" / "new.py").exists()
    assert not (workspace / "dvc.yaml").exists()
    assert (workspace / "dvc.lock").read_text() == "the workspace's own"
    assert (workspace / "results" / "kept.csv").read_text() == "kept"


def test_what_did_not_change_keeps_its_time(checkout):
    workspace = prepare("smoke", checkout)
    times = {path: path.stat().st_mtime_ns for path in workspace.rglob("*.py")}
    prepare("smoke", checkout)
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_deleted_file_is_gone_although_git_still_tracks_it(checkout):
    workspace = prepare("smoke", checkout)
    (checkout / "dvc.yaml").unlink()
    prepare("smoke", checkout)
    assert not (workspace / "dvc.yaml").exists()


def test_an_unknown_study_is_answered_with_the_nearest(checkout):
    with pytest.raises(UserError, match="no study 'smok'; did you mean 'smoke'"):
        prepare("smok", checkout)
    assert not (checkout / ".studies").exists()


def test_a_study_with_a_mistake_changes_nothing(checkout):
    workspace = prepare("smoke", checkout)
    study = checkout / "studies" / "smoke.yaml"
    study.write_text(study.read_text().replace("steps: 400", "stpes: 400"))
    with pytest.raises(UserError, match=r"studies/smoke\.yaml:\d+: .*stpes"):
        prepare("smoke", checkout)
    assert (workspace / "params.yaml").read_text() == SMOKE.read_text()


def test_what_is_no_checkout_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "smoke.yaml").write_text(SMOKE.read_text())
    with pytest.raises(UserError, match=r"is not a Git checkout.*: fatal: not a git"):
        prepare("smoke", tmp_path)


def test_the_reason_of_git_is_told_in_one_line(checkout, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UserError, match=r"dubious ownership.*--add safe") as error:
        prepare("smoke", checkout)
    assert "\n" not in str(error.value)


def test_a_machine_without_git_is_told_so(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="No such file or directory: 'git'"):
        prepare("smoke", checkout)


@pytest.mark.slow
def test_what_is_no_longer_needed_in_the_checkout_is_kept_there(checkout):
    dvc_yaml = "stages: {a: {cmd: echo 1 >> a.txt, outs: [a.txt]}}"
    (checkout / "dvc.yaml").write_text(dvc_yaml)
    (checkout / "dvc.lock").unlink()
    (checkout / "params.yaml").write_text("{}")
    (checkout / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
    workspace = prepare("smoke", checkout)
    dvc(workspace, "repro")
    assert not (checkout / "dvc.lock").exists()
    dvc(checkout, "gc", "--workspace", "--force")
    assert "didn't change" in dvc(prepare("smoke", checkout), "repro")
    (workspace / "a.txt").unlink()
    dvc(workspace, "checkout")
    assert (workspace / "a.txt").read_text() == "1\n"
