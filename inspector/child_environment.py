"""What the processes that we start are told of this one's environment, and how a Python among them is started.

A child gets what is named here and nothing else. A key, a password or an import path that stands in the environment for
another program's sake does not travel, and no variable of Python's own says what a child of ours imports. Where the
person wants more for an engine, they say so where they start it.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Final

EVERY: Final = frozenset(
    (
        # Where programs and their libraries lie.
        "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
        # Who the person is, and where they keep their own files, settings and caches.
        "HOME", "USER", "LOGNAME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HARMONYLENS_CACHE",
        # Where what is temporary goes.
        "TMPDIR", "TEMP", "TMP",
        # Languages, and the encoding of texts and file names.
        "LANG", "LANGUAGE", "TZ",
        # What Windows programs do not start, or find nothing, without.
        "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "APPDATA",
        "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
    )
)  # fmt: skip
"""What every child gets, by name."""

EVERY_PREFIX: Final = ("LC_",)

NETWORK: Final = frozenset(
    (
        # The way out, and whose certificates are believed.
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        # The index that packages come from, for `harmonylens releases add`. PIP_TARGET, PIP_PREFIX and their like say
        # where pip puts what it gets; that is ours to say.
        "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS",
        "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_KEYRING_PROVIDER",
        "PIP_RETRIES", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR",
        "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_NO_INDEX", "UV_FIND_LINKS",
        "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_KEYRING_PROVIDER", "UV_HTTP_TIMEOUT",
        "UV_CACHE_DIR", "UV_NO_CACHE", "UV_OFFLINE",
    )
)  # fmt: skip
"""What a child that fetches something gets beside :data:`EVERY`."""

ENGINE: Final = NETWORK | frozenset(
    (
        # vLLM's guide for CPUs preloads an allocator and Intel's OpenMP.
        "LD_PRELOAD",
        # Equal prefixes of two runs have equal names in vLLM's cache only if this is equal, too.
        "PYTHONHASHSEED",
        # Libraries that ask for their folder or for how many threads, without a prefix of their own.
        "CC", "CXX", "MAX_JOBS", "DO_NOT_TRACK",
        # Ours: the log of the guard (inspector.samplers.guarding).
        "HARMONYLENS_GUARD_LOG",
    )
)  # fmt: skip
"""What an engine gets beside :data:`EVERY`: vLLM loads weights from a hub and compiles for the GPU it finds. Of
``PYTHONPATH`` it gets :func:`named_import_path`."""

ENGINE_PREFIX: Final = (
    # vLLM itself, and what it samples with.
    "VLLM_", "FLASHINFER_", "XGRAMMAR_", "TRITON_", "RAY_",
    # PyTorch, its threads and its compilers.
    "TORCH", "PYTORCH_", "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_",
    # The GPUs, and how they talk to one another.
    "CUDA_", "NVIDIA_", "NCCL_", "GLOO_", "UCX_", "ROCM_", "HIP_", "HSA_", "ROCR_", "ZE_", "ONEAPI_", "TPU_", "XLA_",
    # Where weights come from: the hubs and their keys, and stores that vLLM streams from.
    "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_", "SAFETENSORS_", "MODELSCOPE_", "TIKTOKEN_",
    "AWS_", "RUNAI_",
)  # fmt: skip


def child_environment(
    names: Iterable[str] = (), prefixes: Iterable[str] = (), *, parent: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The variables of this process that a child is to have: :data:`EVERY`, and those that are named.

    Names are compared without regard to case, as ``http_proxy`` is written in small letters and Windows writes as it
    likes.

    Args:
        names: further variables, in capitals, such as :data:`NETWORK`.
        prefixes: what the names of further variables begin with, in capitals, such as :data:`ENGINE_PREFIX`.
        parent: the environment to choose from; this process's own when not given.

    >>> child_environment(parent={"PATH": "/bin", "PYTHONPATH": ".", "LC_ALL": "C.UTF-8", "SECRET": "x"})
    {'PATH': '/bin', 'LC_ALL': 'C.UTF-8'}
    """
    wanted, beginnings = EVERY.union(names), (*EVERY_PREFIX, *prefixes)
    given = os.environ if parent is None else parent
    return {
        name: value for name, value in given.items() if name.upper() in wanted or name.upper().startswith(beginnings)
    }


def named_import_path() -> tuple[str, ...]:
    """The folders of ``PYTHONPATH`` that were named outright. One that stands there as ``.`` or as nothing is whatever
    folder the person happens to be in."""
    return tuple(filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep)))


def keep_folder_out(environment: MutableMapping[str, str]) -> None:
    """Let no Python that inherits ``environment`` import from the folder that it happens to be in: the processes of
    ``multiprocessing`` begin with ``python -c``, which looks there before anywhere else."""
    environment["PYTHONSAFEPATH"] = "1"


def python_command(*arguments: str) -> list[str]:
    """The command that runs this very Python for us: no variable, no folder and no module of others changes what it
    imports. Neither the current folder nor that of a script is in its ``sys.path``.

    Args:
        arguments: a script's path or ``-m`` and a module, and what it is given.
    """
    # Isolated mode also leaves out what the person installed for themselves (`pip install --user`), which is where
    # this program and its libraries may be.
    flags = ("-E", "-P") if site.ENABLE_USER_SITE else ("-I",)
    return [sys.executable, *flags, *arguments]


def own_folder() -> str:
    """A folder for a child to run in that is always there and that nobody else fills: the one of this package."""
    return str(Path(__file__).resolve().parent)
