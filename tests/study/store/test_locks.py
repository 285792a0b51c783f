"""Locks on disks that lock more than others, or less."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from pipeline.study.errors import UserError
from pipeline.study.store.locks import held


@pytest.fixture
def nfs(monkeypatch):
    """A disk that gives an exclusive lock only on what is open for writing."""
    local = fcntl.flock

    def flock(handle, how):
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        local(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)


def test_one_holder_at_a_time_is_kept_on_nfs_too(nfs, tmp_path):
    with (
        held(tmp_path / "a"),
        pytest.raises(TimeoutError),
        held(tmp_path / "a", patience=0),
    ):
        pass
    with held(tmp_path / "a", patience=0):
        pass


def test_nothing_is_left_of_a_lock(tmp_path):
    with held(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_its_last_holder_removed_holds_nothing(monkeypatch, tmp_path):
    local, file = fcntl.flock, tmp_path / "a.lock"
    tried = []

    def flock(handle, how):
        if not tried:
            file.unlink()
        tried.append(handle)
        local(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with held(tmp_path / "a"):
        assert file.exists()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK])
def test_a_disk_without_locks_is_named_in_one_line(monkeypatch, tmp_path, code):
    def flock(handle, how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UserError, match=rf"^{tmp_path} is on a disk that cannot lock"):
        held(tmp_path / "a").__enter__()
    assert list(tmp_path.iterdir()) == []


def test_what_is_linked_is_locked_where_it_lies(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk/folder")
    with held(tmp_path / "link"):
        assert (tmp_path / "disk" / "folder.lock").exists()


def test_a_folder_that_vanishes_while_it_is_made_is_made_again(monkeypatch, tmp_path):
    made = []

    def mkdir(path, mode=0o777, local=os.mkdir):
        local(path, mode)
        made.append(path)
        if len(made) == 1:
            Path(path).rmdir()
            raise FileExistsError(path)

    monkeypatch.setattr(os, "mkdir", mkdir)
    with held(tmp_path / "folder" / "a"):
        assert (tmp_path / "folder" / "a.lock").exists()


def test_a_file_in_the_place_of_the_folder_is_not_waited_for(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        held(tmp_path / "file" / "a").__enter__()
