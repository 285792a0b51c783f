"""Stores that cannot be used, each of which is told in one line."""

import shutil
import socket
import sqlite3
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.study.tracking import address
from pipeline.study.tracking.failures import StoreError
from pipeline.study.tracking.store import Store

pytestmark = pytest.mark.slow


def refusal(uri, monkeypatch):
    """What is said of a store, none of whose failures MLflow may wait out."""

    def sleep(seconds):
        raise AssertionError(f"MLflow waits {seconds} s")

    monkeypatch.setattr("mlflow.store.db.utils.time.sleep", sleep)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError) as caught:
        Store("tiny")
    told = str(caught.value)
    assert told.count("\n") == 0
    return told


class TestADatabase:
    def test_that_is_none_is_told(self, checkout, monkeypatch):
        (checkout / "mlflow.db").write_bytes(bytes(range(256)) * 20)
        told = refusal("sqlite:///mlflow.db", monkeypatch)
        assert f"{checkout}/mlflow.db" in told
        assert "file is not a database; move it away" in told

    def test_without_a_driver_says_which(self, checkout, monkeypatch):
        told = refusal("postgresql+no_such://ann:secret@host/db", monkeypatch)
        assert "no_such" in told
        assert "secret" not in told

    def test_whose_driver_is_not_installed_says_what_to_do(self, checkout, monkeypatch):
        told = refusal("mssql+pyodbc://ann:secret@host/db", monkeypatch)
        assert told.endswith("'pyodbc'; that is the driver of the database: install it")

    def test_that_cannot_be_written_is_told(self, checkout, monkeypatch):
        uri = f"sqlite:///file:{checkout}/mlflow.db?mode=ro&uri=true"
        assert "readonly database" in refusal(uri, monkeypatch)

    def test_of_another_mlflow_is_told(self, checkout, monkeypatch):
        with sqlite3.connect("mlflow.db") as database:
            database.execute("UPDATE alembic_version SET version_num = 'newer'")
        told = refusal("sqlite:///mlflow.db", monkeypatch)
        assert "(found version newer" in told

    def test_that_another_process_locks_is_told(self, checkout, monkeypatch):
        shutil.copy("mlflow.db", "locked.db")
        with sqlite3.connect("locked.db", isolation_level=None) as database:
            database.execute("BEGIN EXCLUSIVE")
            told = refusal("sqlite:///locked.db?timeout=0.1", monkeypatch)
        assert told.endswith("database is locked")


class Page(BaseHTTPRequestHandler):
    """A page of HTML, as a proxy answers."""

    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"<html>\n<body>Who are you?</body>\n</html>")

    do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *arguments):
        pass


class TestAServer:
    @pytest.mark.parametrize(
        "status",
        [
            HTTPStatus.OK,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.INTERNAL_SERVER_ERROR,
        ],
    )
    def test_that_is_no_mlflow_is_told(self, checkout, monkeypatch, status):
        with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
            server.status = status
            threading.Thread(target=server.serve_forever, daemon=True).start()
            told = refusal(f"http://127.0.0.1:{server.server_port}", monkeypatch)
            server.shutdown()
        assert "does not answer: API request to" in told

    def test_that_is_nowhere_is_told(self, checkout, monkeypatch):
        assert "no.such.host.invalid" in refusal(
            "https://no.such.host.invalid", monkeypatch
        )

    def test_that_never_answers_is_asked_once(self, checkout, monkeypatch):
        monkeypatch.setattr(address, "SECONDS_TO_ANSWER", 0.2)
        with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
            port = server.getsockname()[1]
            assert "timed out" in refusal(f"http://127.0.0.1:{port}", monkeypatch)
            server.setblocking(False)
            server.accept()[0].close()
            with pytest.raises(BlockingIOError):
                server.accept()

    def test_with_a_certificate_of_its_own_is_for_mlflow_to_judge(
        self, checkout, monkeypatch
    ):
        with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            told = refusal(f"https://127.0.0.1:{server.server_port}", monkeypatch)
            server.shutdown()
        assert "API request to https" in told
