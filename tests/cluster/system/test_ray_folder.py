"""Where Ray keeps its sessions."""

import os
import tempfile
from pathlib import Path

import pytest

from cluster.system.home import HOME
from cluster.system.ray_folder import LONGEST, make_ray_folder, ray_folder
from qsynth.errors import QsynthError


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    return tmp_path


def test_it_is_its_users_alone_and_stays(place: Path) -> None:
    folder = ray_folder()
    assert not folder.parent.exists()
    assert folder == make_ray_folder() == make_ray_folder()
    assert folder.parent.parent == place
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_uid == os.getuid()


def test_every_home_has_one_of_its_own(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    one = ray_folder()
    monkeypatch.setenv(HOME, str(place / "other"))
    assert ray_folder() != one


@pytest.mark.parametrize("how", ["open", "link", "file"])
def test_what_others_may_have_made_is_refused(place: Path, how: str) -> None:
    folder = make_ray_folder().parent
    if how == "open":
        folder.chmod(0o777)
    else:
        folder.rmdir()
        if how == "link":
            folder.symlink_to(place / "theirs")
            (place / "theirs").mkdir(mode=0o700)
        else:
            folder.write_text("")
    with pytest.raises(QsynthError, match="must be a folder of yours alone; remove it, or set RAY_TMPDIR"):
        make_ray_folder()


def test_a_place_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(place / "nowhere"))
    with pytest.raises(QsynthError, match="must be writable, or RAY_TMPDIR another folder; got No such file"):
        make_ray_folder()


def test_paths_of_sockets_are_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR")
    for usual in ("/tmp", "/tmp/" + 30 * "x"):
        monkeypatch.setattr(tempfile, "tempdir", usual)
        folder = ray_folder().parent
        assert (folder.parent, len(str(folder)) <= LONGEST) == (Path("/tmp"), True)
