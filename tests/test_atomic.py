"""Writing: whole or not at all, to what is there and as it is, under its own name."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

import nnfs_xp as nx
from nnfs_xp.io import atomic
from nnfs_xp.io.atomic import atomic_write, check_writable


def write(path, content=b"new"):
    with atomic_write(path) as file:
        file.write(content)


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())


# What is no regular file.


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_stays_a_device(tmp_path):
    null = tmp_path / "null"
    os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    nx.Model([nx.Dense(2, 2)]).save(null)
    assert stat.S_ISCHR(null.stat().st_mode)
    assert names_in(tmp_path) == ["null"]


def test_a_full_device_is_an_error_that_names_it():
    with pytest.raises(OSError, match="No space left on device: '/dev/full'") as caught:
        write("/dev/full")
    assert caught.value.errno == errno.ENOSPC
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_pipe_is_written_to(tmp_path, seconds):
    """Also if its reader comes a moment later."""
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Timer(seconds, lambda: found.append(pipe.read_bytes()))
    reader.start()
    model = nx.Model([nx.Dense(2, 2)])
    model.save(pipe)
    reader.join()
    model.save(tmp_path / "file")
    assert found == [(tmp_path / "file").read_bytes()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names_in(tmp_path) == ["file", "pipe"]


def test_a_pipe_that_nobody_reads_from(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_SECONDS_FOR_A_READER", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"nobody reads from the pipe: .*/pipe'"):
        write(tmp_path / "pipe")


TO_STDOUT = """
import sys
from nnfs_xp.io.atomic import atomic_write
print("before", flush=False)
with atomic_write(sys.argv[1]) as file:
    file.write(b"written\\n")
print("after")
"""


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_in_a_pipe_and_in_a_file(name, tmp_path):
    command = [sys.executable, "-c", TO_STDOUT, name]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == b"before\nwritten\nafter\n"
    out = tmp_path / "out"
    out.write_bytes(b"there\n")
    with open(out, "ab") as file:
        subprocess.run(command, stdout=file, check=True)
    assert out.read_bytes() == b"there\nbefore\nwritten\nafter\n"
    assert names_in(tmp_path) == ["out"]


def test_an_open_file_by_its_number(tmp_path):
    with open(tmp_path / "out", "wb") as file:
        file.write(b"first\n")
        file.flush()
        write(f"/dev/fd/{file.fileno()}", b"second\n")
        file.write(b"third\n")
    assert (tmp_path / "out").read_bytes() == b"first\nsecond\nthird\n"


def test_a_directory_is_no_file(tmp_path):
    for attempt in (write, check_writable):
        with pytest.raises(IsADirectoryError, match=str(tmp_path)):
            attempt(tmp_path)


# Links.


def test_a_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    link.symlink_to("folder/target")
    (tmp_path / "to the link").symlink_to(link)
    for content in (b"made", b"replaced"):
        write(tmp_path / "to the link", content)
        assert target.read_bytes() == content
        assert not target.is_symlink() and link.is_symlink()
    assert names_in(tmp_path / "folder") == ["target"]


def test_links_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OSError, match="symbolic links: .*/a'"):
        write(tmp_path / "a")


# File systems.


def refuse(error):
    def refused(*arguments, **more):
        raise error

    return refused


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_modes(tmp_path, monkeypatch, number):
    write(tmp_path / "f", b"old")
    monkeypatch.setattr(os, "chmod", refuse(OSError(number, os.strerror(number))))
    write(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_file_system_that_cannot_flush(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(OSError(errno.EINVAL, "Invalid argument")))
    write(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    error = OSError(errno.ENOLCK, "No locks available")
    monkeypatch.setattr(atomic.fcntl, "flock", refuse(error))
    write(tmp_path / "f")
    assert names_in(tmp_path) == ["f"]


@pytest.mark.parametrize("length", [236, 250, 255])
def test_the_longest_names(tmp_path, length):
    for content in (b"made", b"replaced"):
        write(tmp_path / ("a" * length), content)
        assert (tmp_path / ("a" * length)).read_bytes() == content


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(OSError, match="File name too long: .*/a{256}'"):
        write(tmp_path / ("a" * 256))
    assert names_in(tmp_path) == []


def test_a_file_that_another_program_has_open_for_a_moment(tmp_path, monkeypatch):
    """As on Windows."""
    replace, refusals = os.replace, [PermissionError(errno.EACCES, "denied")] * 2

    def sometimes(*arguments):
        if refusals:
            raise refusals.pop()
        replace(*arguments)

    monkeypatch.setattr(os, "replace", sometimes)
    write(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"new"


@pytest.mark.parametrize("call", ["open", "replace", "fsync"])
def test_an_error_names_the_path_and_not_the_temporary_file(
    tmp_path, monkeypatch, call
):
    write(tmp_path / "f", b"old")
    monkeypatch.setattr(atomic, "_PAUSES", (0.01, 0.01))

    def refused(*given, **more):
        names = [name for name in given if isinstance(name, str)]
        raise PermissionError(errno.EACCES, "denied", *names[:1], *[None] * len(names))

    monkeypatch.setattr(os, call, refused)
    with pytest.raises(PermissionError) as caught:
        write(tmp_path / "f")
    assert str(caught.value) == f"[Errno 13] denied: '{tmp_path / 'f'}'"
    assert names_in(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_an_error_about_another_file_stays_as_it_is(tmp_path):
    wanted = pytest.raises(FileNotFoundError, match="'/no/such/file'")
    with wanted, atomic_write(tmp_path / "f"):
        os.stat("/no/such/file")
    assert names_in(tmp_path) == []


def test_a_new_file_has_the_mode_of_the_process_and_an_old_one_its_own(tmp_path):
    old = os.umask(0o027)
    try:
        write(tmp_path / "f")
        assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640
        os.chmod(tmp_path / "f", 0o606)
        write(tmp_path / "f")
        assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o606
    finally:
        os.umask(old)


# What a killed process leaves.


KILLED = """
import os, signal, sys
from nnfs_xp.io.atomic import atomic_write
with atomic_write(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_it_writes(path):
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert done.returncode == -signal.SIGKILL


def test_litter_is_removed_by_the_next_save_of_the_same_file(tmp_path):
    write(tmp_path / "f", b"old")
    killed_while_it_writes(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"old"
    killed_while_it_writes(tmp_path / "other")
    assert [name[:9] for name in names_in(tmp_path)] == [".nnfs_xp-"] * 2 + ["f"]
    write(tmp_path / "f")
    assert len(names_in(tmp_path)) == 2
    write(tmp_path / "other")
    assert names_in(tmp_path) == ["f", "other"]


def test_what_another_save_is_writing_to_is_no_litter(tmp_path):
    with atomic_write(tmp_path / "f") as first:
        first.write(b"first")
        write(tmp_path / "f", b"second")
        assert (tmp_path / "f").read_bytes() == b"second"
    assert (tmp_path / "f").read_bytes() == b"first"
    assert names_in(tmp_path) == ["f"]


def test_trying_whether_a_file_can_be_written(tmp_path):
    check_writable(tmp_path / "f", 3 * 2**20 + 1)
    assert names_in(tmp_path) == []
    write(tmp_path / "f", b"old")
    check_writable(tmp_path / "f", 10)
    assert (tmp_path / "f").read_bytes() == b"old"
    check_writable("/dev/null")
    with open(tmp_path / "f", "rb") as file:
        check_writable(f"/dev/fd/{file.fileno()}")
    assert (tmp_path / "f").read_bytes() == b"old"
    with pytest.raises(FileNotFoundError, match="no such directory"):
        check_writable(tmp_path / "no" / "f")


def test_trying_finds_a_full_disk(tmp_path, monkeypatch):
    written = []

    def full(number):
        written.append(os.fstat(number).st_size)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device: .*/f'"):
        check_writable(tmp_path / "f", 3 * 2**20 + 1)
    assert written == [3 * 2**20 + 1]
    assert names_in(tmp_path) == []
