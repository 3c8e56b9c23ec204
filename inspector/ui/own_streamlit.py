"""Streamlit without the folder that the app is started in: its settings are ours, and it asks nobody who we are.

Streamlit reads ``.streamlit/config.toml`` and ``.streamlit/secrets.toml`` of the current folder, puts the secrets into
the environment, asks an outside service for this machine's address to judge an origin, and runs ``git`` where the app
lies for whoever asks over the web socket. None of that has a setting that turns it off, so the functions that do it
are replaced before the server is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from streamlit import config

SETTINGS: Final = Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml"
"""The one file that settings are read from."""

_BY_ITSELF: Final = "<default>"


class ForeignSettings(RuntimeError):
    """Streamlit has settings, or would ask for something, that is not ours to have; the message is a sentence."""


def _own_files(file_name: str) -> list[str]:
    """In place of the files of the person's home, of the current folder and of the script's."""
    return [str(SETTINGS)] if file_name == SETTINGS.name else []


def _nothing(*_: object, **__: object) -> None:
    """In place of what asks somebody."""


_REPLACED: Final[Mapping[tuple[str, str], Callable[..., Any]]] = {
    ("streamlit.config", "get_config_files"): _own_files,
    ("streamlit.net_util", "get_internal_ip"): _nothing,
    ("streamlit.net_util", "get_external_ip"): _nothing,
    # What is to be believed of it: that there is no git here.
    ("streamlit.git_util", "_run_git"): _nothing,
}


def isolate() -> None:
    """Replace them. To be called before a server is made or an option is asked for.

    Raises:
        ForeignSettings: this Streamlit does these things in another way than those we know, and nothing of it is used.
    """
    for (name, attribute), function in _REPLACED.items():
        module: ModuleType = import_module(name)
        if not callable(getattr(module, attribute, None)):
            raise ForeignSettings(
                f"This version of Streamlit has no {name}.{attribute}, so it cannot be kept from settings of the "
                "current folder: install the version that requirements.lock names."
            )
        setattr(module, attribute, function)
    config.get_config_options(force_reparse=True)
    # Read anew when the server is made: Streamlit would take what is said to it then for a change of its settings.
    found, config._config_options = _defined(), None
    foreign = {where for where in found if where not in (str(SETTINGS), _BY_ITSELF)}
    if foreign:
        raise ForeignSettings(f"Streamlit has settings from {', '.join(sorted(foreign))}, which must not be read.")


@cache
def settings_of_the_folder() -> Path | None:
    """The file of the current folder that Streamlit has settings from, where :func:`isolate` came too late: this app
    was started by ``streamlit run``. Its secrets are read in no case, as our own settings name none."""
    here = Path.cwd() / ".streamlit" / "config.toml"
    # A checkout has a link to ours at its top.
    own = (SETTINGS, Path(os.path.expanduser("~/.streamlit/config.toml")).resolve())
    return here if str(here) in _defined() and here.resolve() not in own else None


def _defined() -> set[str]:
    """Where the options that Streamlit has were set."""
    return {config.get_where_defined(option) for option in config.get_config_options()}
