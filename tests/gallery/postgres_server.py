"""A real PostgreSQL on loopback for the tests: Debian's binaries, a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

START_S = 60


def binaries() -> Path | None:
    """The folder of initdb and postgres, the newest version's; None when there is none."""
    named = os.environ.get("HARMONYLENS_POSTGRES_BIN")
    if named:
        return Path(named)
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found = sorted(folders, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)
    if found:
        return found[-1]
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


class Server:
    """One cluster that can be stopped and started.

    Attributes:
        port: on 127.0.0.1.
        password: of its user, "tester".
    """

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries, self.folder = binaries, folder
        self.password = secrets.token_urlsafe(16) + "/@:?%"
        self.port = 0
        self._databases = 0

    def make(self) -> None:
        """Make the cluster, owned by whoever the server may run as: PostgreSQL refuses root."""
        word = self.folder / "password"
        word.write_text(self.password)
        if os.getuid() == 0:
            entry = _unprivileged()
            for path in (self.folder, word):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self._run(
            "initdb", "--username=tester", f"--pwfile={word}", "--auth=scram-sha-256", "--encoding=UTF8",
            "--locale=C", "--no-sync", f"--pgdata={self.folder / 'data'}",
        )  # fmt: skip

    def start(self) -> None:
        """Listen on a free port, or on the one it had."""
        for last in (False, False, True):
            self.port = self.port or _free_port()
            options = (
                f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= "
                "-c fsync=off -c max_connections=80"
            )
            try:
                self._control("start", "--options", options, "--log", str(self.folder / "log"))
                return
            except subprocess.CalledProcessError:
                # Somebody else may have taken the port in between.
                if last:
                    raise
                self.port = 0

    def stop(self) -> None:
        """End it and everything that is connected."""
        self._control("stop", "--mode=fast")

    def address(self, database: str = "postgres", password: str | None = None) -> str:
        """A database's URL, as a person would give it."""
        from sqlalchemy.engine import URL

        return URL.create(
            "postgresql", "tester", password or self.password, "127.0.0.1", self.port, database
        ).render_as_string(hide_password=False)

    def new_database(self) -> str:
        """The URL of an empty database."""
        import psycopg

        self._databases += 1
        name = f"samples_{self._databases}"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="tester", password=self.password, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.address(name)

    def _control(self, action: str, *arguments: str) -> None:
        # pg_ctl waits until the server listens, or is gone.
        self._run("pg_ctl", action, "--wait", f"--timeout={START_S}", f"--pgdata={self.folder / 'data'}", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        who: dict[str, Any] = {}
        if os.getuid() == 0:
            entry = _unprivileged()
            who = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # The server inherits what pg_ctl writes to: a pipe would never end.
        with (self.folder.parent / f"{self.folder.name}.out").open("w+") as out:
            code = subprocess.call(
                [str(self.binaries / program), *arguments],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **who,
            )  # fmt: skip
            if code:
                out.seek(0)
                raise subprocess.CalledProcessError(code, program, out.read())


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("neither the user postgres nor nobody exists here")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running() -> Iterator[Server]:
    """A server while the block runs.

    Raises:
        FileNotFoundError: there is no PostgreSQL on this machine.
    """
    found = binaries()
    if found is None:
        raise FileNotFoundError("no PostgreSQL found: install Debian's postgresql, or set HARMONYLENS_POSTGRES_BIN")
    # Not below pytest's own folders, into which another user cannot look.
    folder = Path(tempfile.mkdtemp(prefix="harmonylens-postgres-"))
    server = Server(found, folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(f"{folder.name}.out").unlink(missing_ok=True)
