"""A program is its method, and is found again by whoever has the same."""

from shutil import copytree
from unittest import mock

import pytest
import torch

from pipeline.core.population import programs
from pipeline.core.population.programs import Program

GIVEN = (torch.tensor([1.0, 2.0]), None, torch.tensor([3.0, 4.0]))
ONE = (GIVEN[0][:1], None, GIVEN[2][:1])
DOUBLE = (GIVEN[0].double(), None, GIVEN[2].double())


class Learner:
    """Descends (w x - y)² and counts its steps."""

    def __init__(self):
        self.weights = torch.tensor([0.5, -1.0])
        self.unused = torch.zeros(3)
        self.kept = {"steps": torch.zeros(())}

    def learn(self, x, nothing, y):
        assert nothing is None
        weights = self.weights.detach().requires_grad_()
        loss = (weights * x - y).square()
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self.weights.sub_(0.1 * gradient)
        self.kept["steps"] += 1
        return {"loss": loss.detach(), "steps": self.kept["steps"] * 1}

    def predict(self, x):
        return self.weights * x


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a program of the learner is, compiled once."""
    path = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(programs.CACHE, str(path))
        Program(Learner().learn, "a learner")(*GIVEN)
        yield path / "programs"


@pytest.fixture
def _uncompiled():
    """Nothing can be compiled."""
    with mock.patch.object(programs, "compile_method", side_effect=OSError("full")):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("folder", "_uncompiled")
class TestAProgramFoundOnDisk:
    def test_does_what_its_method_does(self):
        ours, theirs = Learner(), Learner()
        program = Program(ours.learn, "a learner")
        for _ in range(3):
            returned, expected = program(*GIVEN), theirs.learn(*GIVEN)
            assert returned.keys() == expected.keys()
            for name, value in expected.items():
                torch.testing.assert_close(returned[name], value)
        torch.testing.assert_close(ours.weights, theirs.weights)
        assert ours.kept["steps"] == 3

    @pytest.mark.parametrize(
        ("about", "method", "given"),
        [
            ("another", "learn", GIVEN),
            ("a learner", "predict", GIVEN[:1]),
            ("a learner", "learn", ONE),
            (
                "a learner",
                "learn",
                tuple(x if x is None else x.double() for x in GIVEN),
            ),
        ],
        ids=["settings", "method", "shape", "type"],
    )
    def test_is_not_that_of_something_else(self, about, method, given):
        with pytest.raises(OSError, match="full"):
            Program(getattr(Learner(), method), about)(*given)

    def test_is_not_that_of_other_code(self, monkeypatch):
        monkeypatch.setattr(programs, "_surroundings", lambda: ["other code"])
        with pytest.raises(OSError, match="full"):
            Program(Learner().learn, "a learner")(*GIVEN)


@pytest.mark.slow
@pytest.mark.usefixtures("_uncompiled")
@pytest.mark.parametrize("file", [programs.LIBRARY, programs.INPUTS])
def test_a_program_that_is_damaged_is_compiled_again(folder, file, monkeypatch):
    (kept,) = folder.iterdir()
    copy = folder.parent / file
    copytree(kept, copy / "programs" / kept.name)
    monkeypatch.setenv(programs.CACHE, str(copy))
    whole = (kept / file).read_bytes()
    (copy / "programs" / kept.name / file).write_bytes(whole[: len(whole) // 9])
    with pytest.raises(OSError, match="full"):
        Program(Learner().learn, "a learner")(*GIVEN)


@pytest.mark.slow
def test_a_program_that_another_process_has_compiled_meanwhile_is_taken(
    folder, tmp_path, monkeypatch
):
    (kept,) = folder.iterdir()
    monkeypatch.setenv(programs.CACHE, str(tmp_path))

    def slower(method, arguments, library):
        library.parent.mkdir()
        library.write_text("compiled in vain")
        copytree(kept, tmp_path / "programs" / kept.name)
        return [], None

    learner = Learner()
    with mock.patch.object(programs, "compile_method", slower):
        Program(learner.learn, "a learner")(*GIVEN)
    assert learner.kept["steps"] == 1


@pytest.mark.slow
def test_a_program_that_could_not_be_compiled_leaves_nothing(folder):
    def interrupted(method, arguments, library):
        library.parent.mkdir()
        library.write_text("half of it")
        raise KeyboardInterrupt

    before = sorted(folder.iterdir())
    program = Program(Learner().learn, "interrupted")
    with (
        mock.patch.object(programs, "compile_method", interrupted),
        pytest.raises(KeyboardInterrupt),
    ):
        program(*GIVEN)
    assert sorted(folder.iterdir()) == before
