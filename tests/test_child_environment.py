"""What the processes that we start are told, and what they cannot be made to import."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from inspector.child_environment import (
    ENGINE,
    ENGINE_PREFIX,
    NETWORK,
    child_environment,
    named_import_path,
    own_folder,
    python_command,
)

ROOT = Path(__file__).resolve().parents[1]

STARTS = re.compile(
    r"subprocess\.(Popen|run|call|check_call|check_output)|(asyncio\.)?create_subprocess_(exec|shell)"
    r"|os\.(system|popen|(exec|spawn|posix_spawn)\w*)"
)

DANGEROUS = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONINSPECT", "PYTHONBREAKPOINT",
    "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX", "PYTHONWARNINGS", "GIT_DIR", "GIT_SSH_COMMAND", "BASH_ENV", "ENV",
    "LD_AUDIT", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIREMENT", "PIP_PYTHON", "PIP_USER", "UV_PYTHON",
    "HARMONYLENS_API_KEY", "HARMONYLENS_DATABASE_URL", "STREAMLIT_SERVER_COOKIE_SECRET", "OPENAI_API_KEY",
)  # fmt: skip


@pytest.mark.parametrize(
    ("names", "prefixes"), [((), ()), (NETWORK, ()), (ENGINE, ENGINE_PREFIX)], ids=["any", "pip", "engine"]
)
def test_nobody_gets_what_runs_code_or_is_secret(names: tuple[str, ...], prefixes: tuple[str, ...]) -> None:
    given = dict.fromkeys(DANGEROUS, "x") | {name.lower(): "x" for name in DANGEROUS}
    assert child_environment(names, prefixes, parent=given) == {}


def test_who_gets_what() -> None:
    given = dict.fromkeys(
        ["PATH", "HOME", "LC_CTYPE", "https_proxy", "PIP_INDEX_URL", "LD_PRELOAD", "HF_TOKEN", "VLLM_X", "FOO"], "x"
    )
    assert list(child_environment(parent=given)) == ["PATH", "HOME", "LC_CTYPE"]
    assert list(child_environment(NETWORK, parent=given)) == [
        "PATH",
        "HOME",
        "LC_CTYPE",
        "https_proxy",
        "PIP_INDEX_URL",
    ]
    assert list(child_environment(ENGINE, ENGINE_PREFIX, parent=given)) == [name for name in given if name != "FOO"]


def test_an_import_path_is_handed_on_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/one", "", ".", "lib", "../two", "/three"]))
    assert named_import_path() == ("/one", "/three")
    monkeypatch.delenv("PYTHONPATH")
    assert named_import_path() == ()


def test_every_process_is_given_its_environment() -> None:
    """Whoever starts one says which environment it gets; nobody hands on all of this process's own."""
    for path in (ROOT / "inspector").rglob("*.py"):
        # It is such a process itself, and starts the command that it was given with what it was given.
        if path.name == "launcher_child.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                spread = [ast.unparse(value) for key, value in zip(node.keys, node.values, strict=True) if key is None]
                assert "os.environ" not in spread, f"{path}:{node.lineno}"
            if isinstance(node, ast.Call) and STARTS.fullmatch(ast.unparse(node.func)):
                given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                assert given.get("env", "os.environ") not in ("os.environ", "None"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("has_user_site", [True, False])
def test_a_python_of_ours_imports_nothing_from_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_user_site: bool
) -> None:
    monkeypatch.setattr("site.ENABLE_USER_SITE", has_user_site)
    marker = tmp_path / "ran"
    for name in ("sitecustomize", "usercustomize", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text(f"open({str(marker)!r}, 'a').write({name!r})\n")
    script = "import json, sys, numpy; print(json.dumps(sys.path))"
    told = subprocess.run(
        python_command("-c", script),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not marker.exists()
    assert not {"", ".", str(tmp_path)} & set(json.loads(told.stdout))


def test_the_folder_for_children_is_ours() -> None:
    assert (Path(own_folder()) / "child_environment.py").is_file()
    assert Path(own_folder()).is_absolute()
