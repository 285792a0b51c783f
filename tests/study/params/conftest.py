from pathlib import Path

import pytest

from pipeline.study.params.load import load_study
from pipeline.study.params.yaml_lines import ParamsError

VALID = Path(__file__).parents[3] / "studies" / "smoke.yaml"
TEXT = VALID.read_text()


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """The message about the smoke study with some of its text replaced."""
    monkeypatch.chdir(tmp_path)

    def answer(*replacements: tuple[str, str]) -> str:
        text = TEXT
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        Path("params.yaml").write_text(text)
        with pytest.raises(ParamsError) as caught:
            load_study(Path("params.yaml"))
        return str(caught.value)

    return answer
