import copy
from pathlib import Path

import pytest

from pipeline.study.params.load import load_study
from pipeline.study.params.yaml_lines import ParamsError
from pipeline.study.store.files import read_yaml, write_yaml
from tests.study.params.smoke import DATA, ROOT, TEXT

WORLDS = read_yaml(ROOT / "studies" / "worlds.yaml")


@pytest.fixture
def data():
    """The smoke study, to be changed."""
    return copy.deepcopy(DATA)


@pytest.fixture
def worlds():
    """The shipped worlds, to be changed."""
    return copy.deepcopy(WORLDS)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """The study of a text or of data in `params.yaml`."""
    monkeypatch.chdir(tmp_path)

    def load(said):
        path = Path("params.yaml")
        if isinstance(said, str):
            path.write_text(said)
        else:
            write_yaml(path, said)
        return load_study(path)

    return load


@pytest.fixture
def refused(load):
    """The message about a text or data."""

    def refused(said) -> str:
        with pytest.raises(ParamsError) as caught:
            load(said)
        return str(caught.value)

    return refused


@pytest.fixture
def answer(refused):
    """The message about the smoke study with some of its text replaced."""

    def answer(*replacements: tuple[str, str]) -> str:
        text = TEXT
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        return refused(text)

    return answer
