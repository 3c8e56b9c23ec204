"""``harmonylens gallery``: galleries as static sites and as bundles."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ..budgets import in_few_lines
from .input import InputError, NamedPath, write_file
from .output import CLEAN, UNUSABLE, say

if TYPE_CHECKING:
    from ..gallery import Gallery

_PATIENCE_S: Final = 0.5
_source = click.argument("source", metavar="DIR|FILE", type=NamedPath(path_type=Path))
_title = click.option("--title", help="What the gallery is called.")


@click.group()
def gallery() -> None:
    """Make a static site or a bundle of a gallery: a folder, a bundle, a file of transcript records, or a site."""


@gallery.command()
@_source
@click.option(
    "--out", "-o", required=True, type=NamedPath(path_type=Path), help="The folder, or the file with --single."
)
@click.option("--single", is_flag=True, help="One HTML file instead of a folder.")
@_title
@click.option("--force", is_flag=True, help="Write even where something else is.")
def build(source: Path, out: Path, single: bool, title: str | None, force: bool) -> int:
    """Make the static site of a gallery: an index, and the whole screen for every sample.

    It opens from a disk and from any server of files, and needs neither Python nor a network.
    """
    from ..report.site import SiteError, build_page, build_site

    found = _open(source, title)
    tell = _Progress("samples")
    left_out: list[str] = []
    try:
        if single:
            data = build_page(found, tell=tell, tell_left_out=left_out.append)
            write_file(out, data, force)
            what = f"{len(data):,} bytes"
        else:
            site = build_site(found, out, force=force, tell=tell)
            left_out += site.left_out
            what = f"{len(site.files):,} files, {site.size:,} bytes"
    except SiteError as error:
        raise InputError(str(error)) from None
    for sentence in in_few_lines(left_out):
        say(sentence)
    count = len(found.samples) - len(left_out)
    say(f"wrote {click.format_filename(out)}: {count:,} {'sample' if count == 1 else 'samples'}, {what}.")
    return UNUSABLE if found.problems or left_out else CLEAN


@gallery.command()
@_source
@click.option("--out", "-o", required=True, type=NamedPath(path_type=Path), help="The file, NAME.harmonylens.")
@_title
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def pack(source: Path, out: Path, title: str | None, force: bool) -> int:
    """Pack a gallery into one .harmonylens file that the app opens."""
    from ..gallery import SampleError
    from ..report.whole import whole_bundle

    found = _open(source, title)
    try:
        data, left_out = whole_bundle(found)
    except SampleError as error:
        raise InputError(str(error)) from None
    write_file(out, data, force)
    for sentence in in_few_lines(left_out):
        say(sentence)
    count = len(found.samples) - len(left_out)
    say(f"wrote {click.format_filename(out)}: {count:,} {'sample' if count == 1 else 'samples'}, {len(data):,} bytes.")
    return UNUSABLE if found.problems or left_out else CLEAN


@gallery.command("list")
@_source
def list_samples(source: Path) -> int:
    """List the samples of a gallery: name, tokens, title."""
    from ..report.visible import visible

    found = _open(source, None)
    column = max((len(sample.name) for sample in found.samples), default=0)
    for sample in found.samples:
        click.echo(f"{sample.name:<{column}}  {len(sample.transcript):>7,}  {visible(sample.title)}")
    return UNUSABLE if found.problems else CLEAN


def _open(source: Path, title: str | None) -> Gallery:
    """The gallery; what of it cannot be read is said.

    Raises:
        InputError: nothing of it can be read.
    """
    from ..gallery import SampleError, open_gallery

    try:
        found = open_gallery(source)
    except SampleError as error:
        raise InputError(str(error)) from None
    for problem in found.problems:
        say(problem)
    if found.more_problems:
        say(f"and {found.more_problems:,} more like these.")
    return replace(found, title=title) if title else found


class _Progress:
    """Says how far it is, on standard error, once it takes longer than a person waits gladly."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.next = time.monotonic() + _PATIENCE_S

    def __call__(self, done: int, total: int) -> None:
        if done < total and time.monotonic() >= self.next:
            say(f"{done:,} of {total:,} {self.what} ...")
            self.next = time.monotonic() + 4 * _PATIENCE_S
