"""A build of a site that was cut off: it can be repeated, wherever it was cut, and what is not ours stays."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from exporting import SAMPLES

from inspector.gallery import Gallery
from inspector.report.site import MARK, SiteError, build_site
from inspector.report.site_journal import HEAD, JOURNAL, begun

GALLERY = Gallery("ours", "Ours", "", tuple(SAMPLES[:2]))
OTHER = Gallery("ours", "Ours, later", "", tuple(SAMPLES[1:3]))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="cut off as a process is killed")


def killed(out: Path, call: str, number: int) -> bool:
    """Build in a process that is killed before call ``number`` of a function of ``os``; whether it was."""
    child = os.fork()
    if child == 0:
        real: Callable[..., object] = getattr(os, call)
        left = number

        def count(*args: object, **given: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **given)

        setattr(os, call, count)
        try:
            build_site(GALLERY, out)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    found = {}
    for name, gallery in (("same", GALLERY), ("other", OTHER)):
        folder = tmp_path_factory.mktemp(name)
        build_site(gallery, folder)
        found[name] = content(folder)
    return found


@pytest.mark.parametrize("call", ["replace", "write", "fdopen"])
def test_wherever_it_is_killed_the_next_build_is_a_whole_one(
    tmp_path: Path, whole: dict[str, dict[str, bytes]], call: str
) -> None:
    number = 0
    while killed(out := tmp_path / str(number), call, number + 1):
        number += 1
        (out / "CNAME").write_text("mine")
        if number % 2:
            build_site(GALLERY, out)
            expected = whole["same"]
        else:
            build_site(OTHER, out)
            expected = whole["other"]
        assert content(out) == {**expected, "CNAME": b"mine"}
    assert number >= 9  # once for each file, at least


def test_it_is_cut_off_again_and_again(tmp_path: Path, whole: dict[str, dict[str, bytes]]) -> None:
    for number in (2, 5, 3, 8):
        assert killed(tmp_path, "replace", number)
    build_site(OTHER, tmp_path)
    assert content(tmp_path) == whole["other"]


def test_a_site_that_was_whole_is_cut_off_while_it_is_replaced(
    tmp_path: Path, whole: dict[str, dict[str, bytes]]
) -> None:
    build_site(OTHER, tmp_path)
    assert killed(tmp_path, "replace", 7)
    build_site(GALLERY, tmp_path)
    assert content(tmp_path) == whole["same"]


def test_a_disk_that_was_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, dict[str, bytes]]
) -> None:
    real, left = os.replace, 4

    def full(*args: object, **given: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        real(*args, **given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(SiteError, match="No space left"):
            build_site(GALLERY, tmp_path)
    build_site(GALLERY, tmp_path)
    assert content(tmp_path) == whole["same"]


def test_what_was_changed_after_it_was_cut_off_stays(tmp_path: Path) -> None:
    assert killed(tmp_path, "replace", 8)
    page = next((tmp_path / "samples").glob("[!.]*.html"))
    page.write_text("mine")
    with pytest.raises(SiteError, match=f"{page.name} is not as it was written"):
        build_site(GALLERY, tmp_path)
    assert page.read_text() == "mine"


def test_a_journal_of_somebody_else_is_nobodys_leave(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / JOURNAL).write_text("mine too")
    with pytest.raises(SiteError, match="not empty and holds no site of ours"):
        build_site(GALLERY, tmp_path)
    site = tmp_path / "site"
    build_site(GALLERY, site)
    (site / JOURNAL).write_text("mine too")
    with pytest.raises(SiteError, match=f"{JOURNAL} is not as it was written"):
        build_site(GALLERY, site)
    assert (site / JOURNAL).read_text() == "mine too"


def test_a_tampered_journal_deletes_nothing_of_others(tmp_path: Path) -> None:
    names = ["thesis.txt", ".thesis.txt.0123456789abcdef", "samples/.notes"]
    (tmp_path / "samples").mkdir()
    for name in names:
        (tmp_path / name).write_text("mine")
    lines = [b'["thesis.txt","","thesis.txt"]', b'["index.html","","../thesis.txt"]', b'["samples/x.html","",".notes"]',
             b'["thesis.txt","",".thesis.txt.0123456789abcdef"]', b'["../x","","y"]', b"[1]", b"[" * 10**5]  # fmt: skip
    (tmp_path / JOURNAL).write_bytes(HEAD + b"\n".join(lines))
    build_site(GALLERY, tmp_path)
    assert all((tmp_path / name).read_text() == "mine" for name in names)
    assert not (tmp_path / JOURNAL).exists()


def test_a_journal_that_is_cut_is_read_up_to_there() -> None:
    data = HEAD + b'\n["index.html", "ab", ".index.html.0123456789abcdef"]\n'
    for end in range(len(data)):
        found = begun(data[:end])
        assert found is not None
        assert len(found) == (end >= len(data) - 1)
    assert begun(b"something else") is None
    assert begun(b'{"schema": 7}\n') is None


@pytest.mark.parametrize("name", ["index.html", MARK, JOURNAL, "harmonylens/page.css", "samples"])
def test_what_is_in_the_way_is_named_before_anything_is_written(tmp_path: Path, name: str) -> None:
    if name == "samples":
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SiteError) as refused:
        build_site(GALLERY, tmp_path, force=True)
    assert str(refused.value).startswith(f"{tmp_path / name} is ")
    assert sorted(tmp_path.rglob("*")) == before
