from benchmarks.machine import machine


def test_a_copy_without_its_history_has_no_commit(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert machine("numpy").endswith("; commit unknown.")
