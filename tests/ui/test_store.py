"""Where saved samples are kept, and what is said when they cannot be: without a browser, without pages."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st

from inspector.gallery import Sample
from inspector.gallery.saved import StoreError
from inspector.tokens import Transcript
from inspector.ui import store as module
from inspector.ui.moments import moment
from inspector.ui.store import address_parts, store

SAMPLE = Sample("", "A title", "", "", Transcript((200005, 35644, 200008)), ())
DEFAULT_FILE = module.default_file


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No database is named, and nothing is remembered of another one."""
    monkeypatch.delenv(module.URL)
    monkeypatch.setattr(module, "default_file", lambda: tmp_path / "data" / "samples.sqlite3")
    monkeypatch.setattr(module, "_FAILED", {})
    monkeypatch.setattr(module, "_STORES", {})


def test_nothing_is_made_before_the_first_save(tmp_path: Path) -> None:
    assert store() is None
    assert module.saved_gallery() is None
    assert module.find_saved("abcdefghijklm") is None
    assert not (tmp_path / "data").exists()
    held = store(to_write=True)
    assert held is not None
    saved = held.save(SAMPLE)
    assert (tmp_path / "data" / "samples.sqlite3").exists()
    again = store()
    assert again is held, "one store per database"
    found = module.find_saved(saved.id)
    assert found is not None
    assert found.transcript.ids == SAMPLE.transcript.ids


def test_an_address_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(module.URL, f"sqlite:///{tmp_path / 'team.db'}")
    held = store()
    assert held is not None
    held.save(SAMPLE)
    assert (tmp_path / "team.db").exists()


def test_secrets_of_streamlit_say_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text(f'[connections.harmonylens]\nurl = "sqlite:///{tmp_path / "secret.db"}"\n')
    st.secrets._reset()
    monkeypatch.setattr("streamlit.config._main_script_path", None)
    st._config.set_option("secrets.files", [str(secrets)])
    try:
        held = store(to_write=True)
        assert held is not None
        held.save(SAMPLE)
        assert not (tmp_path / "secret.db").exists()
        assert (tmp_path / "data" / "samples.sqlite3").exists()
    finally:
        st._config.set_option("secrets.files", [])
        st.secrets._reset()


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The most generous umask there is."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_what_is_saved_is_nobody_elses(tmp_path: Path) -> None:
    held = store(to_write=True)
    assert held is not None
    with held.engine.connect() as connection:
        held.save(SAMPLE)
        connection.exec_driver_sql("select 1 from harmonyscope_revisions")
        found = modes(tmp_path / "data")
    assert found.pop("data") == 0o700
    assert found == dict.fromkeys(("samples.sqlite3", "samples.sqlite3-wal", "samples.sqlite3-shm"), 0o600)


@pytest.mark.usefixtures("open_umask")
def test_what_was_saved_for_everyone_to_read_is_tightened(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(0o777)
    earlier = sqlite3.connect(folder / "samples.sqlite3")
    with closing(earlier):
        earlier.execute("pragma journal_mode = wal")
        earlier.execute("create table other (x)")
        assert set(modes(folder).values()) == {0o777, 0o644}
        assert store() is not None
        assert modes(folder).pop("data") == 0o700
        assert set(modes(folder).values()) == {0o700, 0o600}


@pytest.mark.usefixtures("open_umask")
def test_where_that_cannot_be_it_is_said_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: -1)
    assert store(to_write=True) is not None
    assert modes(folder)["data"] == 0o777
    assert (
        f"may read {folder}, where samples are saved, and that cannot be changed: it belongs to somebody else."
        in (caplog.messages[0])
    )
    assert modes(folder)["samples.sqlite3"] == 0o600


@pytest.mark.usefixtures("open_umask")
def test_a_file_that_was_named_is_private_when_it_is_new_and_left_alone_when_it_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for file, before, after in ((tmp_path / "new.db", None, 0o600), (tmp_path / "shared.db", 0o664, 0o664)):
        if before is not None:
            file.touch(before)
            file.chmod(before)
        monkeypatch.setenv(module.URL, f"sqlite:///{file}")
        held = store()
        assert held is not None
        held.save(SAMPLE)
        assert stat.S_IMODE(file.stat().st_mode) == after


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_say_postgresql_asks_for_our_driver(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    # Nobody listens on port 9: the sentence shows which driver was asked, and that the password stays where it was.
    monkeypatch.setenv(module.URL, f"{scheme}://ann:s3cret@127.0.0.1:9/samples")
    with pytest.raises(StoreError, match=r"postgresql\+psycopg://ann:\*\*\*@127\.0\.0\.1:9/samples cannot be reached"):
        store()


def test_a_database_that_failed_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(module.URL, "postgresql://ann:s3cret@127.0.0.1:9/samples")
    with pytest.raises(StoreError) as first:
        store()
    monkeypatch.setattr(module, "_engine", lambda url: pytest.fail("it was asked again"))
    with pytest.raises(StoreError) as second:
        store()
    assert str(first.value) == str(second.value)


@pytest.mark.parametrize("url", ["s3cret", "nosuch://ann:s3cret@host/db", "postgresql://ann:s3cret@host:port/db"])
def test_what_is_no_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(module.URL, url)
    with pytest.raises(StoreError, match="is no address of a database; expected postgresql://") as failed:
        store()
    assert "s3cret" not in str(failed.value)


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv(module.URL, "postgresql://ann:s3cret@127.0.0.1:9/samples")
    with pytest.raises(
        StoreError, match=r"needs the driver of its database, which is not installed.*psycopg\[binary\]"
    ) as failed:
        store()
    assert "s3cret" not in str(failed.value)


def test_a_folder_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(module, "default_file", lambda: tmp_path / "file" / "data" / "samples.sqlite3")
    assert store() is None
    with pytest.raises(StoreError, match=r"cannot be made .*set HARMONYLENS_DATABASE_URL to a place"):
        store(to_write=True)


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
@pytest.mark.parametrize("to_write", [False, True])
def test_a_home_that_cannot_be_entered(tmp_path: Path, to_write: bool) -> None:
    home = tmp_path / "private"
    home.mkdir()
    home.chmod(0)
    code = (
        "import os, platformdirs, inspector.ui.store as module\n"
        "from inspector.gallery.saved import StoreError\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(54321); os.setuid(54321)\n"  # root enters everything
        f"try: print('opened', module.store(to_write={to_write}))\n"
        "except StoreError as error: print(error)"
    )
    env = {name: value for name, value in os.environ.items() if name not in (module.URL, "XDG_DATA_HOME")}
    told = subprocess.run(
        [sys.executable, "-c", code], env={**env, "HOME": str(home)}, capture_output=True, text=True, check=False
    )
    home.chmod(0o700)
    assert (told.stderr, told.returncode) == ("", 0)
    assert told.stdout.startswith(f"The folder {home}/")
    assert "cannot be entered (Permission denied); set HARMONYLENS_DATABASE_URL to a place" in told.stdout


@pytest.mark.parametrize("answer", [Path("~/.local/share/harmonylens"), None])
def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, answer: Path | None) -> None:
    def found(*_: object, **__: object) -> Path:
        if answer is None:
            raise RuntimeError("Could not determine home directory.")
        return answer

    monkeypatch.setattr(module, "default_file", DEFAULT_FILE)
    monkeypatch.setattr("platformdirs.user_data_path", found)
    for to_write in (False, True):
        with pytest.raises(StoreError, match="no home folder; set HARMONYLENS_DATABASE_URL to a place"):
            store(to_write=to_write)


def test_what_was_saved_under_the_old_name_stays_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name, **_: tmp_path / name)
    assert DEFAULT_FILE() == tmp_path / "harmonylens" / "samples.sqlite3"
    for name in ("harmonyscope", "harmonylens"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "samples.sqlite3").touch()
        assert DEFAULT_FILE() == tmp_path / name / "samples.sqlite3"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("abcdefghijklm", ("abcdefghijklm", None)),
        ("abcdefghijklm@12", ("abcdefghijklm", 12)),
        ("abcdefghijkl", None),
        ("abcdefghijklm@0", None),
        ("abcdefghijklm@", None),
        ("ABCDEFGHIJKLM", None),
        ("healthy-tool-call", None),
        ("gallery:abcdefghijklm", None),
        ("", None),
    ],
)
def test_addresses(address: str, parts: tuple[str, int | None] | None) -> None:
    assert address_parts(address) == parts


def test_times_are_the_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)

    class Context:
        timezone: str | None = "Europe/Berlin"

    monkeypatch.setattr(st, "context", Context)
    assert moment("2026-03-01T23:03:00.250Z", now) == "00:03"
    assert moment("2026-03-01T12:03:00.250Z", now) == "1 March 2026, 13:03"
    for name in (None, "no/where", "../../etc/passwd"):
        Context.timezone = name
        assert moment("2026-03-01T12:03:00.250Z", now) == "12:03 UTC"


def test_a_visit_imports_no_database(root: Path) -> None:
    code = (
        "import sys, inspector.ui.inspect_page, inspector.ui.gallery_page, inspector.ui.store as s; s.find_saved('x');"
        "print(sorted({'sqlalchemy', 'psycopg', 'pandas'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
