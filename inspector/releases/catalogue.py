"""Which releases lie on this machine, and how another one comes here.

Both distributions own the module ``openai_harmony``, so only one can be installed in an environment. The others
live in folders of their own in the cache, ``releases/NAME-VERSION``, laid out as ``pip install --target`` does.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Final

from ..child_environment import NETWORK, child_environment, python_command
from ..tokens.cache import cache_dir
from .release import NAMES, Release, dialect_of, parse_title

_MODULE: Final = "openai_harmony"
_PATIENCE_S: Final = 600.0


class ReleaseError(RuntimeError):
    """A release could not be had; the message is one sentence that says why."""


def available() -> list[Release]:
    """The releases on this machine: the environment's first, then those of the cache by name and version."""
    found: dict[str, Release] = {}
    for release in [*_from_environment(), *_from_cache()]:
        found.setdefault(release.title, release)
    return list(found.values())


def find(title: str) -> Release | None:
    """The release called ``title`` ("openai-harmony 0.0.8", or with ``==``), or None when it is not here.

    Raises:
        ValueError: ``title`` is not the name and version of a release.
    """
    wanted = " ".join(parse_title(title))
    return next((release for release in available() if release.title == wanted), None)


def add(spec: str) -> Release:
    """Fetch a release into the cache with pip, the one thing in this project that uses the network.

    It is installed into a temporary folder, loaded once in a process of its own, and only then moved to its
    place in one step. A release that is here already is not fetched again.

    Args:
        spec: "openai-harmony==0.0.8".

    Raises:
        ValueError: ``spec`` is not NAME==VERSION with one of the two names.
        ReleaseError: it could not be installed or loaded.
    """
    name, version = parse_title(spec)
    here = find(f"{name} {version}")
    if here is not None:
        return here
    folder = cache_dir() / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adding-", dir=folder) as temporary:
        target = Path(temporary) / "target"
        _install(f"{name}=={version}", target)
        release = _at(target, name, version)
        if release is None:
            raise ReleaseError(f"{name}=={version} holds no module {_MODULE} for this Python and system.")
        _try_loading(release)
        place = folder / f"{name}-{version}"
        try:
            target.rename(place)
        except OSError:
            # Another process was faster, or a broken folder of that name is in the way.
            if _at(place, name, version) is None:
                shutil.rmtree(place, ignore_errors=True)
                target.rename(place)
    return Release(name, version, dialect_of(name, version), place / _MODULE, "cache")


def _from_environment() -> list[Release]:
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.origin is None:
        return []
    # Where both distributions were installed over one another, ours is the one that the project requires.
    for name in reversed(NAMES):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        return [Release(name, version, dialect_of(name, version), Path(spec.origin).parent, "environment")]
    return []


def _from_cache() -> list[Release]:
    try:
        places = sorted((cache_dir() / "releases").iterdir())
    except OSError:  # it is not there, not for us, or there is no home folder that it could be in
        return []
    found = []
    for place in places:
        for name in NAMES:
            if place.name.startswith(f"{name}-"):
                release = _at(place, name, place.name.removeprefix(f"{name}-"))
                found += [release] if release is not None else []
    return found


def _at(place: Path, name: str, version: str) -> Release | None:
    package = place / _MODULE
    if not (package / "__init__.py").is_file() or not any(package.glob(f"{_MODULE}.*.[sp][oy]*")):
        return None
    return Release(name, version, dialect_of(name, version), package, "cache")


def _install(spec: str, target: Path) -> None:
    # Wheels only: building one would need a Rust compiler and minutes.
    options = ["install", "--no-deps", "--only-binary", ":all:", "--target", str(target.absolute()), spec]
    if importlib.util.find_spec("pip") is not None:
        command = python_command("-m", "pip", "--disable-pip-version-check", "--no-input", *options)
    elif (uv := shutil.which("uv")) is not None:
        command = [uv, "pip", options[0], "--python", sys.executable, *options[1:]]
    else:
        raise ReleaseError(f"{spec} could not be fetched: this Python has no pip; run `python -m ensurepip` first.")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, check=False, env=_quiet(),
            # Not the folder that the person is in: uv reads settings there.
            stdin=subprocess.DEVNULL, cwd=target.parent,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{spec} could not be fetched: pip did not finish in {_PATIENCE_S:.0f} s.") from error
    if done.returncode:
        raise ReleaseError(f"{spec} could not be fetched: {_last_error(done.stderr)}")


def _quiet() -> dict[str, str]:
    # A `pip install --user` by configuration cannot be combined with --target.
    return {**child_environment(NETWORK), "PIP_USER": "0"}


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    chosen = errors[-1] if errors else lines[-1] if lines else "pip gave no reason."
    if chosen.endswith("Exception:"):
        chosen = lines[-1]  # a traceback follows, whose last line says what it was
    return chosen.removeprefix("ERROR:").strip().rstrip(".") + "."


def _try_loading(release: Release) -> None:
    from .worker import NativeWorker

    with NativeWorker() as worker:
        result = worker.load(release)
    if not result.ok:
        raise ReleaseError(f"{release.title} was fetched but cannot be loaded: {result.reason}")
