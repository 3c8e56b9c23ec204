"""Hostile text in everything that is written without a browser: reports, exports, the command's own sentences."""

from __future__ import annotations

import ast
import json
import re
import sys
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from inspector.cli import main
from inspector.gallery.bundle import read_gallery
from inspector.ingest import card_of, read, transcript_record
from inspector.report.exports import FORMATS
from inspector.report.subject import inspected
from inspector.tokens import Transcript

from .. import hostile

OURS = re.compile(r"\x1b\[[0-9;]*m")
"""What the terminal report itself may write: colours."""

CASES = [*hostile.TEXTS, "everything", "many marks"]


def case(name: str) -> Transcript:
    if name == "everything":
        return hostile.transcript()
    text = hostile.MANY_MARKS if name == "many marks" else hostile.TEXTS[name]
    broken = f"<|channel|>analysis<|channel|>{text[:200]}<|message|>{text}<|end|>"
    transcript = read(broken, format="text").transcripts[0]
    return Transcript(
        ids=transcript.ids, role="assistant", id=text[:500], tools=(text[:500],), finish_reason=text[:500]
    )


def steering(text: str) -> set[str]:
    """Characters that steer a terminal, or the direction of what follows, by number."""
    kept = {"\n", "\t"}
    return {
        f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c not in kept
    }


def written(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, *arguments: str) -> str:
    file = tmp_path / "hostile.jsonl"
    file.write_text(json.dumps(transcript_record(case(name))) + "\n")
    assert main([arguments[0], str(file), *arguments[1:]]) in (0, 1)
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("colour", [False, True])
def test_the_terminal_report_steers_no_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, colour: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR" if colour else "NO_COLOR", "1")
    out = written(capsys, tmp_path, name, "inspect")
    assert steering(OURS.sub("", out) if colour else out) == set()


@pytest.mark.parametrize("name", ["everything", "terminal", "bidi"])
@pytest.mark.parametrize("arguments", [("scan",), ("scan", "--format", "text")])
def test_the_scan_steers_no_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, arguments: tuple[str, ...]
) -> None:
    assert steering(OURS.sub("", written(capsys, tmp_path, name, *arguments))) == set()


@pytest.mark.parametrize("name", ["terminal", "bidi", "controls", "script"])
def test_the_commands_own_sentences_steer_no_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    text = hostile.TEXTS[name].replace("\x00", "")
    file = tmp_path / "ids.txt"
    file.write_text(f"1 2 {text} 3")
    for arguments in (
        ["inspect", "--input-format", "ids", str(file)],
        ["inspect", text],
        ["rules", text],
        [text],
        ["inspect", str(file), "--style", text],
        ["inspect", str(file), "--select", text],
        ["inspect", str(file), "--role", text],
        ["app", "--allow-host", text],
        ["app", "--host", text],
    ):
        assert main(arguments) == 2, arguments
        captured = capsys.readouterr()
        assert steering(captured.out + captured.err) == set(), arguments


def outside_of_code(markdown: str) -> str:
    """Markdown without its fenced blocks and code spans."""
    kept: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if not fence and mark:
            fence = mark.group(1)
        elif fence and mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        elif not fence:
            kept.append(line)
    assert fence == "", "a fence is left open"
    return re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", "\n".join(kept))


@pytest.mark.parametrize("name", CASES)
def test_markdown_holds_no_markup_of_theirs(name: str) -> None:
    text = FORMATS["markdown"].write(inspected(case(name))).decode()
    # An empty comment of ours keeps a number or a name from becoming a mention.
    plain = re.sub(r"\\.", "", outside_of_code(text)).replace("<!-- -->", "")
    tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([A-Za-z!?][^\s>]*)", plain)}
    assert tags <= {"details", "summary", "b", "br"}
    assert "](" not in re.sub(r"\]\(https://[a-z./0-9A-Z_-]+\)", "", plain)
    assert "evil.invalid" not in re.sub(r"&[a-z]+;", "", plain) or "http://evil.invalid" not in plain
    assert steering(text) == set()


@pytest.mark.parametrize("name", CASES)
def test_the_pytest_file_runs_nothing_of_theirs(name: str) -> None:
    code = FORMATS["pytest"].write(inspected(case(name))).decode("utf-8")
    assert steering(code) == set()
    tree = ast.parse(code)
    imported: set[str] = set()
    called: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call):
            called.add(ast.unparse(node.func))
    assert imported <= {
        "__future__",
        "openai_harmony",
        "pytest",
        "base64",
        "json",
        "zlib",
        *sys.stdlib_module_names,
    } - {"os"}
    assert not [call for call in called if "import" in call or "system" in call or "eval" in call or "exec" in call]
    benign = ast.parse(FORMATS["pytest"].write(inspected(case("templates"))).decode())
    assert len(tree.body) <= len(benign.body) + 2


def messages(log: Any) -> list[str]:
    """What a SARIF viewer draws as a message of theirs: of a result, a fix, an artifact."""
    (run,) = log["runs"]
    found = [artifact["description"]["text"] for artifact in run["artifacts"]]
    for result in run["results"]:
        found += [result["message"]["text"], *(fix["description"]["text"] for fix in result.get("fixes", ()))]
    return found


@pytest.mark.parametrize("name", CASES)
def test_sarif_and_json_are_json_and_say_no_addresses_of_theirs(name: str) -> None:
    log = json.loads(FORMATS["sarif"].write(inspected(case(name))))
    json.loads(FORMATS["json"].write(inspected(case(name))))

    def addresses(value: Any, key: str = "") -> list[str]:
        if isinstance(value, dict):
            return [found for k, v in value.items() for found in addresses(v, k)]
        if isinstance(value, list):
            return [found for v in value for found in addresses(v, key)]
        return [value] if key.lower().endswith("uri") or key == "$schema" else []

    for message in messages(log):
        assert not re.search(r"\]\s*\(", re.sub(r"\\.", "", message)), message
        assert not re.search(r"\[[^\]]*\]\(", message), message
        assert steering(message.replace("\n", "")) == set()
    for address in addresses(log):
        assert re.fullmatch(r"(https://[\w./#-]+)|[\w.-]+", address), address


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    return parser.found


def shape(page: str) -> set[str]:
    return {f"{tag} {' '.join(sorted(attributes))}" for tag, attributes in elements(page)}


@pytest.mark.parametrize("name", CASES)
def test_an_exported_page_has_the_elements_of_any_other(name: str) -> None:
    page = FORMATS["html"].write(inspected(case(name))).decode()
    other = FORMATS["html"].write(inspected(Transcript(ids=(200005, 17196, 200008, 200002)))).decode()
    assert shape(page) == shape(other)
    followed = {"href", "src", "srcset", "action", "content", "style", "data"}
    addresses = [value for _, given in elements(page) for key, value in given.items() if key in followed]
    assert not [value for value in addresses if value and ("evil" in value or "pwned" in value)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("form", ["html", "json", "bundle"])
def test_what_opens_again_is_the_same_transcript(name: str, form: str) -> None:
    transcript = case(name)
    data = FORMATS[form].write(inspected(transcript))
    if form == "bundle":
        (sample,) = read_gallery(data, "x.harmonylens").samples
        again = sample.transcript
    else:
        (again,) = read(data, filename=f"x.{form}").transcripts
    assert (again.ids, again.role, again.tools) == (transcript.ids, transcript.role, transcript.tools)
    assert again.finish_reason == transcript.finish_reason
    assert card_of(again).title in (card_of(transcript).title, again.id, transcript.id) or form == "bundle"
