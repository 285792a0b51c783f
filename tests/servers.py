"""Servers that tests start on loopback: PostgreSQL, and MLflow's own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.projects import await_server, environment

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian has the programs of PostgreSQL, which are not on the path."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def program(name: str) -> str:
    """A program of PostgreSQL. Without it the test is skipped, and fails in CI."""
    found = shutil.which(name) or next(map(str, DEBIAN.glob(f"*/bin/{name}")), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("there is no PostgreSQL server: .ci/run installs it")
    return found or pytest.skip("there is no PostgreSQL server: apt install postgresql")


class Postgres:
    """A PostgreSQL server with the user `ann`, whose password is `secret`."""

    def __init__(self, folder: Path) -> None:
        self._programs = {name: program(name) for name in ("initdb", "pg_ctl")}
        self._folder = folder
        self._data = str(folder / "data")
        self._port = free_port()
        self._who = []
        if os.geteuid() == 0:  # as whom no server starts
            shutil.chown(folder, "nobody")
            self._who = ["runuser", "-u", "nobody", "--"]
        password = folder / "password"
        password.write_text("secret")
        password.chmod(0o644)
        how = ["-A", "scram-sha-256", f"--pwfile={password}", "--no-sync"]
        self._run("initdb", "-U", "ann", *how)
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Address of a database."""
        return f"postgresql+psycopg://ann:secret@127.0.0.1:{self._port}/{database}"

    def make(self, database: str) -> str:
        """Make an empty database; its address."""
        import psycopg

        url = self.url().replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        said = {"listen_addresses": "127.0.0.1", "fsync": "off"}
        options = [f"-c {name}={value}" for name, value in said.items()]
        only = " ".join([f"-p {self._port} -k {self._folder}", *options])
        self._run("pg_ctl", "-w", "-l", f"{self._folder}/log", "-o", only, "start")

    def stop(self) -> None:
        """End the server, as one that fails."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, name: str, *options: str) -> None:
        command = [*self._who, self._programs[name], "-D", self._data, *options]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server of its own."""
    folder = Path(tempfile.mkdtemp())  # short: it has the socket
    try:
        server = Postgres(folder)
        yield server
        with suppress(AssertionError):
            server.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def mlflow_server(root: Path, database: str, port: int) -> Iterator[str]:
    """An MLflow server that keeps artifacts in a folder; its address."""
    root.mkdir(exist_ok=True)
    address = f"http://127.0.0.1:{port}"
    options = ["--port", str(port), "--workers", "1"]
    said = {
        "MLFLOW_BACKEND_STORE_URI": database,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight idle processes
    }
    with (root / "log").open("a") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            cwd=root,
            env=environment() | said,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await_server(f"{address}/health")
        yield address
    finally:
        started.terminate()
        started.wait(timeout=30)
