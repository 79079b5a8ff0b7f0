"""Which files a flag names."""

import os
import socket

import pytest

from pipeline.listing import find_files
from pipeline.spec import SpecError


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(pattern, folder):
    return [os.path.relpath(path, folder) for path in find_files(str(pattern), "flag").paths]


def test_hidden_files_and_those_of_systems_are_passed_over(tmp_path):
    touch(
        tmp_path, "a.png", ".b.png", ".ipynb_checkpoints/a-checkpoint.png", "@eaDir/a.png/t.jpg",
        "__MACOSX/._a.png", "deep/.cache/x.png", "deep/c.png", "Thumbs.db", "deep/desktop.ini",
    )  # fmt: skip
    assert found(tmp_path, tmp_path) == ["a.png", "deep/c.png"]
    assert found(tmp_path / "**", tmp_path) == ["a.png", "deep/c.png"]
    assert found(tmp_path / "*.png", tmp_path) == ["a.png"]
    # What is given by name is meant.
    assert found(tmp_path / "deep/.cache", tmp_path) == ["deep/.cache/x.png"]
    assert found(tmp_path / "deep/.cache/*.png", tmp_path) == ["deep/.cache/x.png"]
    assert found(tmp_path / ".b.png", tmp_path) == [".b.png"]


def test_links_to_folders_are_followed_and_each_folder_is_listed_once(tmp_path):
    touch(tmp_path, "in/b/1.png", "elsewhere/2.png")
    (tmp_path / "in/a").symlink_to(tmp_path / "in/b")  # Found first, and yet the other way to it.
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/b/loop").symlink_to(tmp_path / "in")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "in", tmp_path) == ["in/b/1.png", "in/linked/2.png"]


def test_what_is_no_file_is_named_and_never_opened(tmp_path):
    touch(tmp_path, "in/1.png")
    os.mkfifo(tmp_path / "in/2.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "in/3.png"))
    (tmp_path / "in/4.png").symlink_to("/dev/zero")
    (tmp_path / "in/5.png").symlink_to(tmp_path / "gone")
    listing = find_files(str(tmp_path / "in"), "flag")
    assert [os.path.basename(path) for path in listing.paths] == ["1.png"]
    assert {os.path.basename(error.path): error.reason for error in listing.errors} == {
        "2.png": "is a named pipe, not a regular file",
        "3.png": "is a socket, not a regular file",
        "4.png": "is a device, not a regular file",
        "5.png": "cannot be read: No such file or directory",
    }
    assert find_files(str(tmp_path / "in/2.png"), "flag").errors[0].path.endswith("2.png")


def test_folders_that_cannot_be_listed_are_named(tmp_path, monkeypatch):
    touch(tmp_path, "1.png", "locked/2.png")
    scan = os.scandir

    def guarded(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    listing = find_files(str(tmp_path), "flag")
    assert listing.paths == (str(tmp_path / "1.png"),)
    [error] = listing.errors
    assert error.path == str(tmp_path / "locked")
    assert error.reason == "the folder cannot be listed: Permission denied"


def test_globs(tmp_path):
    touch(tmp_path, "fg[1]/1.png", "fg[1]/2.jpg", "fg1/9.png", "fg[1]/x/3.png", "fg[1]/[5].png")
    folder = tmp_path / "fg[1]"
    assert found(folder / "*.png", folder) == ["1.png", "[5].png"]
    assert found(folder / "[5].png", folder) == ["[5].png"]
    assert found(folder / "[12].*", folder) == ["1.png", "2.jpg"]
    assert found(folder / "**.png", folder) == ["1.png", "[5].png", "x/3.png"]
    assert found(folder / "**/*.png", folder) == ["1.png", "[5].png", "x/3.png"]
    # A folder that matches is read like one that is given.
    assert found(tmp_path / "fg?", tmp_path) == ["fg1/9.png"]
    assert found(tmp_path / "*/x", tmp_path) == ["fg[1]/x/3.png"]
    assert found(tmp_path / "f*/x/*", tmp_path) == ["fg[1]/x/3.png"]


@pytest.mark.parametrize(
    ("pattern", "what"),
    [("", "--flag is empty"), (" ", "--flag is empty"), ("{}/no", "no such folder or file"),
     ("{}/no/*.png", "no such folder or file"), ("{}/*.gif", "there is no file")],
)  # fmt: skip
def test_nothing_is_refused(tmp_path, pattern, what):
    touch(tmp_path, "1.png")
    with pytest.raises(SpecError, match=what):
        find_files(pattern.format(tmp_path), "flag")


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    touch(tmp_path, "fg/1.png")
    assert found("~/fg", tmp_path) == found("~/f*/*.png", tmp_path) == ["fg/1.png"]
