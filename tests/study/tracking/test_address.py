from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.tracking.address import tracking_uri, without_password


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "checkout"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


class TestTheAddress:
    def test_is_a_database_in_the_checkout(self, checkout):
        assert tracking_uri() == f"sqlite:///{checkout}/mlflow.db"

    @pytest.mark.parametrize(
        ("given", "opened"),
        [
            ("sqlite:///mlflow.db", "sqlite:///{}/mlflow.db"),
            ("sqlite:///./kept/my.db?timeout=9", "sqlite:///{}/kept/my.db?timeout=9"),
            ("sqlite+pysqlite:///mlflow.db", "sqlite+pysqlite:///{}/mlflow.db"),
        ],
    )
    def test_that_is_relative_is_one_in_the_checkout(
        self, checkout, tmp_path, monkeypatch, given, opened
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        monkeypatch.setenv("DVC_ROOT", str(checkout))
        monkeypatch.chdir(tmp_path)
        assert tracking_uri() == opened.format(checkout)

    @pytest.mark.parametrize(
        "given",
        [
            "http://localhost:5000",
            "sqlite:////data/mlflow.db",
            "sqlite:///file:/data/mlflow.db?mode=ro&uri=true",
            "postgresql://ann:secret@host/mlflow",
            "databricks",
            "databricks://profile",
        ],
    )
    def test_that_is_whole_is_left_as_it_is(self, monkeypatch, given):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        assert tracking_uri() == given

    @pytest.mark.parametrize(
        "given",
        [
            "./mlruns",
            "/data/mlruns",
            "file:mlruns",
            "file:///data/mlruns",
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
        ],
    )
    def test_where_mlflow_keeps_nothing_is_refused(self, monkeypatch, given):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        with pytest.raises(UserError, match=f"MLFLOW_TRACKING_URI={given}: .*sqlite"):
            tracking_uri()

    @pytest.mark.parametrize(
        "given",
        [
            "postgresql://ann:secret@host/mlflow",
            "postgresql://ann:p@secret@host/mlflow",
            "postgresql://ann:s/ecret@host/mlflow",
            "postgresql://host/mlflow?user=ann&password=secret&sslmode=disable",
        ],
    )
    def test_is_shown_without_its_password(self, given):
        shown = without_password(f"cannot open {given} now")
        assert "secret" not in shown
        assert "ecret" not in shown
        assert shown.startswith("cannot open postgresql://host/mlflow")
        assert shown.endswith(" now")
