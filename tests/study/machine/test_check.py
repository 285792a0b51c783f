import re

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


@pytest.mark.parametrize("given", ["ccache g++", "/nonexistent"])
def test_a_compiler_that_torch_cannot_start_is_refused(monkeypatch, given):
    monkeypatch.setenv("CXX", given)
    with pytest.raises(UserError, match=rf"but CXX={re.escape(given)} is no program"):
        check.check_machine(execution(compile="always"))


def test_the_compiler_is_the_one_that_torch_takes():
    from torch._inductor import config

    assert config.cpp.cxx[-1] == check.compiler()


def test_a_compiler_that_works_is_tried_and_taken():
    check.try_compiler(execution(compile="auto"))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo note >&2; echo 'x: fatal error: no omp.h' >&2; exit 1", "no omp.h"),
        ("exit 0", "it writes no library"),
        ("exec sleep 60", "no answer within 0.5 s"),
    ],
)
def test_a_compiler_that_does_not_work_is_refused_in_one_line(
    monkeypatch, tmp_path, script, said
):
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.setattr(check, "COMPILER_SECONDS", 0.5)
    check.try_compiler(execution(compile="never"))
    with pytest.raises(UserError, match=rf"broken compiles nothing here: .*{said}"):
        check.try_compiler(execution(compile="always"))


@pytest.mark.parametrize("name", ["my study", "o'study"])
def test_a_path_that_torch_does_not_quote_is_refused(monkeypatch, tmp_path, name):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / name))
    with pytest.raises(UserError, match=rf"space or a quote in it: .*{name}.*; move"):
        check.check_machine(execution(compile="always"))


def test_a_path_with_letters_of_any_language_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "übung"))
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
