"""``harmonylens rules`` and ``harmonylens releases``: what this program knows, and what it has at hand."""

from __future__ import annotations

import json
from typing import Any, Final

import click

from .input import InputError, reason
from .output import CLEAN, make_console, say

WANTED: Final = ("openai-harmony 0.0.8",)
"""Releases that are worth having beside the one that is installed."""


@click.command()
@click.argument("code", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def rules(code: str | None, form: str) -> int:
    """List the rules, or explain the one with this code or name; a prefix such as HS2 lists those."""
    from ..report.rules import all_rules, close_to, find_rule, rule_page, rule_record, rules_index, rules_table

    rule = find_rule(code) if code is not None else None
    if rule is None:
        found = [r for r in all_rules().values() if r.code.startswith((code or "").upper())]
        if not found:
            meant = close_to(code or "")
            hint = f"did you mean {' or '.join(meant)}?" if meant else "`harmonylens rules` lists them."
            raise InputError(f"no rule is called {code!r}; {hint}")
        if form == "json":
            _echo_json([rule_record(rule) for rule in found])
        elif form == "markdown":
            click.echo(rules_index(found, linked=False), nl=False)
        else:
            console = make_console()
            for line in rules_table(found, console.width):
                console.print(line, soft_wrap=True)
    elif form == "json":
        _echo_json(rule_record(rule))
    elif form == "markdown":
        click.echo(rule_page(rule), nl=False)
    else:
        from rich.markdown import Markdown

        make_console().print(Markdown(rule_page(rule)))
    return CLEAN


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=True, indent=2))


@click.group(invoke_without_command=True)
@click.pass_context
def releases(context: click.Context) -> int | None:
    """List the releases of openai_harmony on this machine, or add one."""
    if context.invoked_subcommand is not None:
        return None
    result: int = context.invoke(list_releases)
    return result


@releases.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_releases(form: str = "text") -> int:
    """List the releases that can be asked themselves (--native)."""
    from ..releases import available

    found = available()
    if form == "json":
        _echo_json(
            [
                {
                    "release": release.title,
                    "dialect": str(release.dialect),
                    "checked": release.checked,
                    "found": release.found,
                    "location": str(release.location),
                }
                for release in found
            ]
        )
    else:
        column = max((len(release.title) for release in found), default=0)
        for release in found:
            guessed = "" if release.checked else " (its dialect is a guess)"
            click.echo(f"{release.title:<{column}}  {release.found:<11}  {release.location}{guessed}")
    for title in WANTED:
        if title not in [release.title for release in found]:
            spec = title.replace(" ", "==")
            say(f"{title} is not here, its verdicts are predicted; `harmonylens releases add {spec}` fetches it.")
    return CLEAN


@releases.command("add")
@click.argument("spec", metavar="NAME==VERSION")
def add_release(spec: str) -> int:
    """Fetch a release with pip into the user's cache: the one command that uses the network."""
    from ..releases import ReleaseError, add, check

    try:
        release = add(spec)
    except (ValueError, ReleaseError) as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(
            f"{spec} cannot be kept in the cache ({reason(error)}): set HARMONYLENS_CACHE to a folder that can be "
            "written to."
        ) from None
    click.echo(f"{release.title}  {release.found}  {release.location}")
    if not release.checked:
        differ = check(release)
        if differ:
            say(f"{release.title} differs from our model of it on {len(differ)} of the probes: use --native with it.")
        else:
            click.echo(f"{release.title} agrees with our model of it on every probe.")
    return CLEAN
