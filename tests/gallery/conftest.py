"""Makes the code beside these tests importable, and the databases that the sample store runs on.

Pytest imports test files without touching the path.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from postgres_server import Server, binaries, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL on loopback. Without one the tests are skipped at a desk and fail in CI."""
    if binaries() is None:
        reason = "no PostgreSQL found: install Debian's postgresql, or set HARMONYLENS_POSTGRES_BIN"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, as a person would give its address."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'samples.sqlite3'}"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()
