import pytest

from pipeline.study.errors import UserError
from pipeline.study.tracking.lockfile import read_lock
from tests.projects import run


@pytest.mark.slow
class TestALock:
    def test_has_the_instances_of_the_pipeline_in_its_order(self, project):
        assert [entry.name for entry in read_lock(project)] == [
            "check",
            "sweep@sql_multigoal",
            "scratch@hallway_sql",
            "scratch@hallway_ddpg",
            "compare",
            "report",
        ]

    def test_knows_the_files_that_are_there(self, project):
        for entry in read_lock(project):
            assert entry.files(project)

    def test_knows_the_hash_of_folders_as_dvc_computes_it(self, project):
        folder = project / "results/report"
        (folder / "a").mkdir()
        for name in ("a/b", "a.c", "a-d", "ä"):
            (folder / name).write_text(name)
        run(project, "dvc", "commit", "-q", "-f", "report")
        (entry,) = (entry for entry in read_lock(project) if entry.name == "report")
        assert {"a/b", "a.c", "a-d", "ä"} < {str(path) for path in entry.files(project)}

    def test_changes_its_digest_with_anything_that_it_says(self, project):
        before = {entry.name: entry.digest for entry in read_lock(project)}
        (project / "results/compare/metrics.json").write_text("{}")
        run(project, "dvc", "commit", "-q", "-f", "compare")
        after = {entry.name: entry.digest for entry in read_lock(project)}
        assert {name for name in after if after[name] != before[name]} == {"compare"}


def test_a_study_that_was_never_computed_is_told_how(tmp_path):
    with pytest.raises(UserError, match="`dvc repro` computes the study"):
        read_lock(tmp_path)


class TestALockThatCannotBeRead:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "params.yaml").write_text("study: {}\n")
        (tmp_path / "dvc.yaml").write_text("stages:\n  check: {cmd: a, outs: [a]}\n")
        (tmp_path / "dvc.lock").write_text(
            "schema: '2.0'\nstages:\n  check:\n    cmd: a\n"
            "    outs:\n    - path: a\n      md5: 0\n"
        )
        assert [entry.name for entry in read_lock(tmp_path)] == ["check"]
        return tmp_path

    @pytest.mark.parametrize("file", ["dvc.lock", "dvc.yaml"])
    def test_with_a_conflict_is_one_line_that_says_how_to_end_it(self, folder, file):
        path = folder / file
        first, *others = path.read_text().splitlines(keepends=True)
        sides = "<<<<<<< HEAD\n  a: 1\n=======\n  a: 2\n>>>>>>> other\n"
        path.write_text(first + sides + "".join(others))
        with pytest.raises(UserError) as error:
            read_lock(folder)
        assert str(error.value).startswith(f"{path}:2: a conflict that Git has left")
        assert f"git checkout --ours {path}" in str(error.value)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "names no stages"),
            ("a: [", ":2: not valid YAML"),
            ("[1]", "names no stages"),
        ],
    )
    def test_with_other_content_is_one_line(self, folder, text, said):
        (folder / "dvc.lock").write_text(text)
        with pytest.raises(UserError, match=rf"dvc\.lock ?{said}"):
            read_lock(folder)
