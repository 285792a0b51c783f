import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jaxtyping
import pytest

from pipeline.study.tracking.address import set_defaults
from tests.projects import make_project

# No timing assertions; and where a failure stops others, examples that do not change.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

ELSEWHERE = ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_EXP_NAME")


def pytest_configure(config: pytest.Config) -> None:
    theirs = "ignore:The ``noload`` loader strategy is deprecated"  # what MLflow uses
    config.addinivalue_line("filterwarnings", theirs)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the file that takes longest, while other cores do the others."""
    items.sort(key=lambda item: item.path.name != "test_smoke_study.py")


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that learn: without checks of shapes an update is five times as fast.

    Every function of `pipeline.core` asks for this switch in every call, where
    `--jaxtyping-packages` has wrapped it. That every learner's shapes are right is for
    the tests without this fixture to say, of which each makes a few updates.
    """
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="module")
def own_store() -> Iterator[None]:
    """Every checkout writes to its own MLflow store."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ELSEWHERE:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose results are computed; copy it."""
    return make_project(tmp_path_factory.mktemp("computed") / "project")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables, which take seconds to make, and nothing in them."""
    set_defaults()
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").delete_experiment("0")
    return path


@pytest.fixture
def checkout(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A current folder that has a store of its own."""
    for name in ELSEWHERE:
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copy(empty_database, root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def project(computed: Path, checkout: Path) -> Path:
    """A current folder with computed results and a store of its own."""
    shutil.copytree(computed, checkout, dirs_exist_ok=True)
    return checkout
