import pytest

from pipeline.core.config.computation import Execution
from pipeline.study.errors import UserError
from pipeline.study.machine import check


def execution(**choices):
    plain = {"device": "cpu", "precision": "float32", "compile": "never"}
    return Execution(**plain | choices, threads=1, members_per_process=2)


@pytest.mark.parametrize("choice", ["auto", "always"])
def test_a_missing_compiler_is_refused_with_the_line_that_installs_it(
    monkeypatch, choice
):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError, match=rf"compile: {choice}.*apt-get install g\+\+"):
        check.check_machine(execution(compile=choice))


def test_missing_headers_of_python_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(check.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(UserError, match=r"Python's headers.*python3-dev"):
        check.check_machine(execution(compile="always"))


def test_what_is_not_compiled_needs_no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "")
    check.check_machine(execution())


def test_a_compiler_that_is_there_is_enough():
    check.check_machine(execution(compile="always"))


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"device: cuda.*no GPU.*device: cpu"):
        check.check_machine(execution(device="cuda"))


@pytest.mark.parametrize(
    ("flags", "warned"),
    [("fma avx2 avx512f", True), ("avx2 avx512_bf16", False), ("amx_bf16", False)],
)
def test_bfloat16_without_its_products_is_warned_of(
    monkeypatch, tmp_path, capsys, flags, warned
):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\n")
    monkeypatch.setattr(check, "CPU_INFO", info)
    check.check_machine(execution(precision="bfloat16"))
    assert ("float32 is faster here" in capsys.readouterr().err) == warned
