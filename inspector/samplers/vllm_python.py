"""How code of ours gets into vLLM's own Python: a folder for its import path, and the environment to start it with.

vLLM lives in an environment of its own. What of this package runs there (:mod:`inspector.vllm_side`) is found through
``PYTHONPATH``. Pointing that at the folder which holds the package would also show vLLM everything else in it: the
site-packages of an installed harmonylens, with their own numpy and pydantic. So it points at a folder with one entry.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from ..child_environment import ENGINE, ENGINE_PREFIX, child_environment, named_import_path

ALWAYS: Final[Mapping[str, str]] = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
"""vLLM reports its use to its makers unless told not to; from here nothing is reported to anybody."""

WITHOUT_GPU: Final[Mapping[str, str]] = {
    # In GiB. vLLM would take 4 or half of the memory, depending on its release.
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # More threads than free cores make it slower by orders of magnitude, and it cannot know what else runs.
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    # Compiling pays off after hours only: the first request with logprobs waited 23 s for it.
    "TORCH_COMPILE_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
}
"""Settings for vLLM's CPU build, each only where the person has not set it."""

NO_FLOAT32: Final = (0, 31)
"""vLLM before this runs gpt-oss on a CPU in bfloat16 only: in float32 the first request ends the engine."""

_NO_NOBIND: Final = (0, 21)
"""vLLM before this cannot be told to bind no threads: it ends with an IndexError."""

_INSTALLED: Final = re.compile(r"vllm(?:_cpu)?-(\d{1,6})\.(\d{1,6})")
"""How the folder begins in which pip notes what it has installed; the CPU build goes by either name."""

_DEVICES: Final = ("nvidia*", "kfd", "dxg")
"""Device files of GPUs: NVIDIA's, AMD's, and the one that Windows lends to a Linux in it."""

_FOLDERS: dict[int, Path] = {}
_LOCK = Lock()


def package_path() -> Path:
    """A folder whose only entry is ``inspector``, a link to this package. Made once per process, removed at its exit.

    Raises:
        OSError: it cannot be made.
    """
    process = os.getpid()
    with _LOCK:
        # A forked child must not use a folder that goes away with its parent.
        if process not in _FOLDERS:
            folder = Path(tempfile.mkdtemp(prefix="harmonylens-path-"))
            (folder / "inspector").symlink_to(Path(__file__).resolve().parents[1], target_is_directory=True)
            _FOLDERS[process] = folder
            atexit.register(_remove, folder, process)
        return _FOLDERS[process]


def version_in(python: str) -> tuple[int, int] | None:
    """The first two numbers of the vLLM that an interpreter has, without starting it; None where that cannot be seen:
    a vLLM run from its sources, packages that lie elsewhere than an environment has them."""
    found = shutil.which(os.path.expanduser(python))
    if found is None:
        return None
    # Not resolved: the Python of an environment is a link to another one.
    noted = Path(found).absolute().parent.parent.glob("lib/python3*/site-packages/vllm*.dist-info")
    return max(((int(m[1]), int(m[2])) for one in noted if (m := _INSTALLED.match(one.name))), default=None)


def vllm_environment(extra: Mapping[str, str] | None = None, *, python: str = "") -> dict[str, str]:
    """The environment variables for a process of vLLM: those of this process's own that concern an engine, and what is
    needed beside them.

    Args:
        extra: further variables; they win over everything.
        python: the interpreter that they are for, which has vLLM. Without it, for a present vLLM.

    Raises:
        OSError: the folder of :func:`package_path` cannot be made.
    """
    # What a person names outright is theirs to name: their own logits processors are found in this way.
    path = [str(package_path()), *named_import_path()]
    return {
        **({} if has_gpu() else without_gpu(version_in(python))),
        **child_environment(ENGINE, ENGINE_PREFIX),
        **ALWAYS,
        # What lies in the folder that the app was started in is not to be taken for a module.
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(path),
        **(extra or {}),
    }


def without_gpu(version: tuple[int, int] | None) -> dict[str, str]:
    """:data:`WITHOUT_GPU` for a release of vLLM."""
    settings = dict(WITHOUT_GPU)
    if version is not None and version < _NO_NOBIND and hasattr(os, "sched_getaffinity"):
        # One thread as well, though held to one core.
        settings["VLLM_CPU_OMP_THREADS_BIND"] = str(max(os.sched_getaffinity(0)))
    return settings


def runner_for(has_processors: bool) -> dict[str, str]:
    """Variables for vLLM's model runner: ours are processors of the first one (V1), which vLLM 0.32 leaves on a GPU
    unless it is told to stay. A person's own setting stays as it is."""
    name = "VLLM_USE_V2_MODEL_RUNNER"
    return {name: os.environ.get(name, "0")} if has_processors else {}


def has_gpu(devices: Path = Path("/dev")) -> bool:
    """Whether this machine shows a GPU's device file."""
    return any(next(devices.glob(pattern), None) is not None for pattern in _DEVICES)


def _remove(folder: Path, process: int) -> None:
    if process == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)
