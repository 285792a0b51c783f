import pytest

from pipeline.study.store.fingerprint import ROOT
from stages import draw

WITHOUT = (ROOT / "studies/own_task.yaml").read_text()
ONE = """
worlds:
  plain: {half_width: 5.0, start: [0.0, 0.0], finish_line: 3.0}
"""


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """What the command says in a folder with a study of one world."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(WITHOUT + ONE)
    (tmp_path / "without.yaml").write_text(WITHOUT)

    def run(*args):
        monkeypatch.setattr("sys.argv", ["draw", *args])
        draw.main()
        return capsys.readouterr().out

    return run


def test_every_world_has_a_picture_with_its_name(told, tmp_path):
    said = told("params.yaml", "--to", "here")
    assert said == "here/ has a picture of: plain; all in all-worlds.png\n"
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    assert sorted(drawn) == ["all-worlds.png", "plain.png"]
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["without.yaml"], "error: without.yaml has no `worlds` to draw; studies/wor"),
        (["nowhere.yaml"], "error: nowhere.yaml: no such file or directory"),
        (["--to", "params.yaml"], "error: params.yaml cannot be written: "),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(told, capsys, args, said):
    with pytest.raises(SystemExit, match="2"):
        told(*args)
    found = capsys.readouterr().err
    assert found.startswith(said)
    assert found.count("\n") == 1


def test_an_interrupted_drawing_ends_as_shells_have_it(told, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(draw, "draw", interrupt)
    with pytest.raises(SystemExit, match="130"):
        told()
