"""Writes into the samples what the engine finds in them now: ``rules``, ``drift`` and ``[errors]``.

``python tests/gallery/refresh_samples.py`` rewrites the files that lag and names them. Read the diff: a change
in it is a change of what people are told. Titles, stories, transcripts and expected messages are never touched.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from inspector import Inspection, inspect
from inspector.gallery import Sample, load_samples, samples_folder
from inspector.report.findings import findings

RELEASES = ("openai-harmony 0.0.8", "oss-harmony 0.0.11")


def found_rules(inspection: Inspection) -> tuple[str, ...]:
    """Codes of the findings, sorted, each once."""
    return tuple(sorted({found.code for found in findings(inspection)}))


def found_drift(inspection: Inspection) -> tuple[str, ...]:
    """Codes of the next prompt's differences, sorted, each once."""
    return tuple(sorted({drift.code for drift in inspection.next_prompt.drift} if inspection.next_prompt else ()))


def found_errors(inspection: Inspection) -> dict[str, str]:
    """By release, the text of its strict error."""
    verdicts = [(release, inspection.verdict(release).error) for release in RELEASES]
    return {release: error.text for release, error in verdicts if error is not None}


def refreshed(text: str, sample: Sample) -> str:
    """The file's text with what is found in ``sample`` now."""
    inspection = inspect(sample.transcript)
    lines = "".join(
        f"{key} = [{', '.join(map(json.dumps, codes))}]\n"
        for key, codes in (("rules", found_rules(inspection)), ("drift", found_drift(inspection)))
    )
    text = re.sub(r"^drift = \[.*\]\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^rules = \[.*\]\n", lambda _: lines, text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^\[errors\]\n(?:\".*\n)+\n?", "", text, flags=re.MULTILINE)
    errors = found_errors(inspection)
    if errors:
        block = "[errors]\n" + "".join(f"{json.dumps(name)} = {_quoted(error)}\n" for name, error in errors.items())
        table = re.search(r"^\[|\Z", text, flags=re.MULTILINE)
        at = table.start() if table else len(text)
        text = f"{text[:at].rstrip()}\n\n{block}\n{text[at:]}"
    return text.rstrip() + "\n"


def _quoted(error: str) -> str:
    literal = error.isprintable() and "'" not in error and ('"' in error or "\\" in error)
    return f"'{error}'" if literal else json.dumps(error, ensure_ascii=not error.isprintable())


def lagging(folder: Path) -> dict[Path, str]:
    """The files that do not say what is found now, with what they should hold."""
    wanted = {}
    for sample in load_samples(folder):
        path = folder / sample.family / f"{sample.name}.toml"
        text = path.read_text(encoding="utf-8")
        new = refreshed(text, sample)
        if new != text:
            wanted[path] = new
    return wanted


if __name__ == "__main__":
    for path, text in lagging(samples_folder()).items():
        path.write_text(text, encoding="utf-8")
        print(f"rewritten: {path.parent.name}/{path.name}")
