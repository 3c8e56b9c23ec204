"""Which releases are here, and how one is added: without a network, pip is made to find wheels in a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from inspector.harmony.verdict import Dialect
from inspector.releases import Release, ReleaseError, add, available, catalogue, dialect_of, find, parse_title
from inspector.tokens import vocabulary_file


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARMONYLENS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all pip knows of."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(folder: Path, name: str, version: str, files: dict[str, bytes]) -> None:
    plain = name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{plain}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def installed() -> Release:
    return next(release for release in available() if release.found == "environment")


@pytest.mark.parametrize(
    ("name", "version", "dialect"),
    [
        ("openai-harmony", "0.0.4", Dialect.FIRST_ONLY),
        ("openai-harmony", "0.0.8", Dialect.FIRST_ONLY),
        ("oss-harmony", "0.0.9", Dialect.FIRST_ONLY),
        ("oss-harmony", "0.0.10", Dialect.ALL_CHANNELS),
        ("oss-harmony", "0.0.10rc1", Dialect.ALL_CHANNELS),
        ("oss-harmony", "0.0.11", Dialect.ALL_CHANNELS),
        ("oss-harmony", "0.1", Dialect.ALL_CHANNELS),
        ("oss-harmony", "1.0.0", Dialect.ALL_CHANNELS),
    ],
)
def test_the_dialect_follows_from_the_version(name: str, version: str, dialect: Dialect) -> None:
    assert dialect_of(name, version) is dialect


def test_only_releases_that_were_compared_count_as_checked() -> None:
    known = Release("oss-harmony", "0.0.11", Dialect.ALL_CHANNELS, Path(), "cache")
    later = Release("oss-harmony", "0.0.12", Dialect.ALL_CHANNELS, Path(), "cache")
    assert (known.checked, later.checked) == (True, False)


@pytest.mark.parametrize("title", ["openai-harmony 0.0.8", "openai-harmony==0.0.8", " openai-harmony  0.0.8\n"])
def test_a_title_has_two_spellings(title: str) -> None:
    assert parse_title(title) == ("openai-harmony", "0.0.8")


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("requests==2.0", "'requests' does not hold a Harmony parser: expected openai-harmony or oss-harmony"),
        ("openai-harmony", "is not the name and version of a release"),
        ("openai-harmony>=0.0.8", "is not the name and version of a release"),
        ("openai-harmony==0.0.8 --index-url x", "is not the name and version of a release"),
        ("openai-harmony==../../x", "is not the name and version of a release"),
        ("", "is not the name and version of a release"),
    ],
)
def test_add_refuses_anything_else(spec: str, complaint: str, empty_cache: Path) -> None:
    with pytest.raises(ValueError, match=complaint):
        add(spec)
    assert not empty_cache.exists()


def test_the_environments_release_comes_first(empty_cache: Path) -> None:
    (release,) = available()
    assert (release.name, release.found, release.checked) == ("oss-harmony", "environment", True)
    assert release.title == f"oss-harmony {release.version}"
    assert (release.location / "__init__.py").is_file()
    assert find(release.title) == find(f"oss-harmony=={release.version}") == release


def test_what_is_here_is_not_fetched(empty_cache: Path, wheels: Path) -> None:
    assert add(f"oss-harmony=={installed().version}").found == "environment"


def test_add_installs_loads_and_keeps(empty_cache: Path, wheels: Path) -> None:
    """A copy of the installed library under another version: found afterwards, and only its own folder is left."""
    vocabulary_file()
    files = {f"openai_harmony/{f.name}": f.read_bytes() for f in installed().location.iterdir() if f.is_file()}
    wheel(wheels, "oss-harmony", "9.9.9", files)
    release = add("oss-harmony==9.9.9")
    assert (release.found, release.dialect, release.checked) == ("cache", Dialect.ALL_CHANNELS, False)
    assert find("oss-harmony 9.9.9") == release
    assert [r.title for r in available()] == [installed().title, "oss-harmony 9.9.9"]
    assert [place.name for place in (empty_cache / "releases").iterdir()] == ["oss-harmony-9.9.9"]
    assert add("oss-harmony==9.9.9") == release


def test_a_release_that_cannot_be_fetched(empty_cache: Path, wheels: Path) -> None:
    with pytest.raises(ReleaseError) as caught:
        add("openai-harmony==0.0.8")
    assert str(caught.value) == (
        "openai-harmony==0.0.8 could not be fetched: No matching distribution found for openai-harmony==0.0.8."
    )
    assert list((empty_cache / "releases").iterdir()) == []


def test_a_distribution_without_the_module(empty_cache: Path, wheels: Path) -> None:
    wheel(wheels, "oss-harmony", "9.9.8", {"something_else.py": b""})
    with pytest.raises(ReleaseError, match="holds no module openai_harmony for this Python and system"):
        add("oss-harmony==9.9.8")
    assert find("oss-harmony 9.9.8") is None


def test_a_release_that_cannot_be_loaded(empty_cache: Path, wheels: Path) -> None:
    vocabulary_file()
    files = {
        "openai_harmony/__init__.py": b"from . import openai_harmony",
        "openai_harmony/openai_harmony.abi3.so": b"?",
    }
    wheel(wheels, "oss-harmony", "9.9.7", files)
    with pytest.raises(ReleaseError, match=r"^oss-harmony 9\.9\.7 was fetched but cannot be loaded: .*ImportError"):
        add("oss-harmony==9.9.7")
    assert list((empty_cache / "releases").iterdir()) == []


def test_a_broken_folder_is_replaced(empty_cache: Path, wheels: Path) -> None:
    vocabulary_file()
    (empty_cache / "releases" / "oss-harmony-9.9.9" / "openai_harmony").mkdir(parents=True)
    assert find("oss-harmony 9.9.9") is None
    files = {f"openai_harmony/{f.name}": f.read_bytes() for f in installed().location.iterdir() if f.is_file()}
    wheel(wheels, "oss-harmony", "9.9.9", files)
    assert find("oss-harmony 9.9.9") is None
    assert add("oss-harmony==9.9.9").found == "cache"


def test_a_python_without_pip_says_so(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(catalogue.shutil, "which", lambda name: None)
    with pytest.raises(ReleaseError, match="this Python has no pip; run `python -m ensurepip` first"):
        add("openai-harmony==0.0.8")
