"""The engine: headers, bodies, what stands between them, stripped text, findings by the thousand, and the record."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from inspector import inspect
from inspector.inspection import Inspection
from inspector.repair.taken import Taken
from inspector.tokens import (
    CALL,
    CHANNEL,
    END,
    MESSAGE,
    START,
    STOPS,
    Change,
    Position,
    Transcript,
    WideLookup,
    vocabulary,
)

from .harness import case

_MOST: Final = 16_000
"""Tokens that a case begins with at most: four times as many still fit a processor's cache."""


def _encode(text: str) -> list[int]:
    return vocabulary().encode_markers(text)


def _run_of(unit: str, n: int, before: str = "", behind: str = "") -> list[int]:
    """``n`` tokens of ``unit``, over and over, between two texts."""
    ids = _encode(unit)
    return [*_encode(before), *(ids * (n // len(ids) + 1))[:n], *_encode(behind)]


def _spelled(unit: str, n: int, before: str = "", behind: str = "") -> list[int]:
    """``n`` characters of ``unit``, encoded in one go: tokens hold many blanks, dots or letters at once."""
    return _encode(before + (unit * (n // len(unit) + 1))[:n] + behind)


def _repeated(
    name: str,
    unit: str,
    before: str = "",
    behind: str = "",
    *,
    n: int = 1_000,
    spelled: bool = False,
    most: int = _MOST,
) -> None:
    """A case in which one stretch is repeated."""
    make = _spelled if spelled else _run_of
    case(inspect, name=f"engine_{name}", n=n, most=4 * most if spelled else most)(
        lambda size: make(unit, size, before, behind)
    )


_HEADER, _TO, _MESSAGE = "<|channel|>analysis", "<|channel|>commentary to=functions.bash", "<|message|>x<|end|>"
_CALLED = "<|message|>{}<|call|>"
_JSON = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>"

# White space, invisible characters and other runs in every place of a header.
for _at, (_before, _behind) in {
    "behind_the_channel": (_HEADER, _MESSAGE),
    "before_the_channel": ("<|channel|>", "analysis" + _MESSAGE),
    "behind_the_recipient": (_TO, _CALLED),
    "behind_the_role": ("<|start|>assistant", "<|channel|>final" + _MESSAGE),
    "behind_the_type": (_TO + " <|constrain|>json", _CALLED),
    "at_the_end": (_HEADER, ""),
    "between_messages": ("<|channel|>final<|message|>x<|end|>", "<|start|>assistant<|channel|>final" + _MESSAGE),
    "before_a_look_alike": ("<start>assistant", "<channel>final<message>x<|end|>"),
    "in_stripped_text": ("analysis", "x.assistantfinal It is."),
}.items():
    _repeated(f"blanks_{_at}", " ", _before, _behind, n=8_000, spelled=True)
_repeated("line_breaks_in_a_header", "\n", _HEADER, _MESSAGE, n=8_000, spelled=True)
_repeated("invisible_characters_in_a_header", "\u200b", _HEADER, _MESSAGE)
_repeated("odd_characters_by_turns_in_a_header", "\u200b\u00a0\u2028", _HEADER, _MESSAGE)
# Emoji families and flags hold an invisible joiner in every slot: one fix of the header then covers them all.
# Sized so that there are thousands of fixes.
_FAMILY: Final = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
_FLAG: Final = "\U0001f3f3\ufe0f\u200d\U0001f308"
for _slot, _before in {
    "the_channel": "<|channel|>",
    "the_role": "<|start|>",
    "the_recipient": "<|channel|>commentary to=",
    "the_type": "<|channel|>commentary to=f <|constrain|>",
}.items():
    _repeated(f"joiners_in_{_slot}", _FAMILY, _before, "<|message|>x", n=4_000, spelled=True)
_repeated("many_joiners_in_the_channel", _FAMILY, "<|channel|>", "<|message|>x", n=16_000, spelled=True)
_repeated("flags_in_the_channel", _FLAG, "<|channel|>", "<|message|>x", n=16_000, spelled=True)
_repeated("one_fix_covers_many", "a\u200b", _HEADER + " ", _MESSAGE, n=8_000, spelled=True)
_repeated("fixes_between_words_that_go", " a\u200b", _HEADER, _MESSAGE, n=8_000, spelled=True)
_repeated("one_long_word_as_recipient", "abcde", "<|channel|>commentary to=", _CALLED, n=8_000, spelled=True)
_repeated("dots_behind_a_recipient", ":..", _TO, _CALLED, n=8_000, spelled=True)
_repeated("quotes_before_a_recipient", '"', "<|channel|>commentary to=", "f" + _CALLED, n=8_000, spelled=True)
_repeated("words_in_a_header", " word", _HEADER, _MESSAGE)
_repeated("recipients_glued_together", "to=", "<|channel|>commentary ", _CALLED, n=4_000)
_repeated("channels_glued_together", ",analysis", _HEADER, _MESSAGE, n=4_000)
_repeated("one_recipient_many_times", " to=functions.bash", "<|channel|>commentary", _CALLED)
_repeated("channel_sections", "<|channel|>analysis", "", _MESSAGE)
_repeated("words_in_channel_sections", "<|channel|>bash", "", _CALLED)
_repeated("content_types", " <|constrain|>json", _TO, _CALLED)
_repeated("look_alike_channels", "<channel>analysis ", _HEADER, _MESSAGE)
_repeated("look_alike_starts", "<start> to=x ", _HEADER, _MESSAGE)
_repeated(
    "messages_within_a_header", "<|channel|>analysis we go on and on so<|channel|>final it is", "", _MESSAGE, n=400
)

# Bodies, with what does not belong there.
_repeated("markers_in_a_body", "<|channel|>", "<|channel|>final<|message|>", "<|end|>")
_repeated("starts_in_a_body", "<|start|>x", "<|channel|>final<|message|>", "<|end|>")
_repeated("reserved_tokens_in_a_body", "<|reserved_200013|> a", "<|channel|>final<|message|>", "<|end|>")
_repeated("terminators_in_open_json", "x<|end|>y", _JSON + '{"a":"', '"}<|call|>')
_repeated("open_json_in_every_body", '<|start|>assistant<|channel|>final<|message|>{"a":"x', behind='"}')
_repeated("deep_json", '{"a":', _JSON, "<|call|>", n=4_000)
_repeated("quotes_in_json", '\\"x', _JSON + '{"a":"', "<|call|>", n=4_000)
_repeated(
    "headers_spelled_in_a_body", "<|start|>assistant<|channel|>", "<|channel|>analysis<|message|>", "", spelled=True
)
_repeated("clauses_in_a_body", " to=functions.f {", "<|channel|>analysis<|message|>", "<|end|>", n=4_000)
_repeated("combining_marks", "\u0301", "<|channel|>final<|message|>", "<|end|>", n=8_000)

# Stripped text.
_repeated("stripped_messages", "analysisLet me see.assistantfinalThe answer.")
_repeated("stripped_calls", 'assistantcommentary to=functions.bash json{"a":1}')
# One word of that many letters: the encoder's own n log n shows where it leaves the processor's cache.
_repeated("stripped_headers_only", "assistantfinal", n=1_000, most=2_000)
_repeated("nothing_but_roles", "assistant", n=1_000, most=2_000)

# Messages by the thousand, each with something the matter.
_repeated("short_messages", "<|channel|>final<|message|>a<|end|><|start|>assistant", n=4_000)
_repeated(
    "two_channels_in_every_header", "<|channel|>analysis<|channel|>final<|message|>a<|end|><|start|>assistant", n=500
)
_repeated("two_channels_and_never_a_body", "<|start|>assistant<|channel|>analysis<|channel|>final We", n=500)
_repeated("two_channels_and_never_an_end", "<|start|>assistant<|channel|>analysis<|channel|>final<|message|>x", n=500)
_repeated("headers_given_up", "<|start|>assistant<|channel|>analysis We<|end|>", n=500)
_repeated("starts_and_ends", "<|start|><|end|>", n=500)
_repeated("starts_only", "<|start|>", n=4_000)
_repeated("text_between_messages", "<|channel|>final<|message|>a<|end|> junk <|start|>assistant")
_repeated("developer_messages_without_end", "<|start|>developer<|message|># Tools\nnamespace a {", n=500)
_repeated(
    "namespaces",
    "namespace a {\n type b = (_: {}) => any;\n",
    "<|start|>developer<|message|># Tools\n",
    "<|end|>",
    n=4_000,
)
_repeated(
    "blank_lines_in_a_namespace", "\n", "<|start|>developer<|message|>namespace a {", "<|end|>" + _TO + _CALLED, n=4_000
)


@case(inspect, n=1_000, most=_MOST)
def engine_markers_at_random(n: int) -> list[int]:
    dice = random.Random(2)
    return [dice.choice((START, CHANNEL, MESSAGE, END, CALL)) for _ in range(n)]


@case(inspect, n=1_000, most=_MOST)
def engine_markers_and_words_at_random(n: int) -> list[int]:
    """Every round of repair finds something new."""
    dice = random.Random(3)
    words = _encode('assistant analysis commentary final to=functions.bash json code user { } " : , \n')
    markers = (START, CHANNEL, MESSAGE, *sorted(STOPS))
    return [dice.choice(markers if dice.random() < 0.4 else words) for _ in range(n)]


@case(inspect, n=4_000, most=4 * _MOST)
def engine_starts_after_numbers(n: int) -> list[int]:
    """A listing whose every line ends in a marker: each is a message that was given up, and another text."""
    return _encode("".join(f"{number}: <|start|>\n" for number in range(n // 12)))


@case(inspect, n=500, most=_MOST)
def engine_recipients_each_another(n: int) -> list[int]:
    clauses = "".join(f" to=functions.f{number}" for number in range(n // 5))
    return _encode(f"<|channel|>commentary{clauses}<|message|>{{}}<|call|>")


@case(inspect, n=1_000, most=_MOST)
def engine_broken_bytes_in_a_header(n: int) -> list[int]:
    return [*_encode(_HEADER), *(128 + at % 60 for at in range(n)), *_encode(_MESSAGE)]


@case(inspect, n=1_000, most=_MOST)
def engine_unknown_ids_in_a_body(n: int) -> list[int]:
    return [*_encode("<|channel|>final<|message|>"), *([300_000, 64] * (n // 2)), END]


def _inspected(style: str = "oss-harmony 0.0.11") -> Callable[[Transcript], Inspection]:
    return lambda transcript: inspect(transcript, style=style)


@case(_inspected(), n=1_000, most=_MOST)
def engine_calls_beside_many_tools(n: int) -> Transcript:
    ids = _run_of("<|channel|>commentary to=f <|constrain|>json<|message|>{}<|call|><|start|>assistant", n)
    return Transcript(tuple(ids), tools=tuple(f"functions.t{number}" for number in range(n // 2)))


@case(_inspected(), n=1_000, most=_MOST)
def engine_a_prompt_of_declarations(n: int) -> Transcript:
    prompt = _run_of("<|start|>developer<|message|># Tools\nnamespace a {\n type b = (_: any", n)
    return Transcript(tuple(_encode("<|channel|>bash<|message|>{}<|call|>")), prompt_ids=tuple(prompt))


@case(_inspected(), n=1_000, most=_MOST)
def engine_all_that_a_record_reports(n: int) -> Transcript:
    result = "<|start|>functions.x to=assistant<|channel|>commentary<|message|>x<|end|>"
    ids = _run_of(f"{result}<|start|>assistant<|channel|>analysis<|channel|>final<|message|>a<|end|>", n)
    return Transcript(
        tuple(ids),
        None,
        origins=tuple("sampled" if at % 3 else "injected" for at in range(len(ids))),
        logprobs=(-0.5,) * len(ids),
        top=(((1, -0.5), (2, -1.5)),) * len(ids),
    )


@case(_inspected("vLLM 0.32"), n=1_000, most=_MOST)
def engine_results_of_many_calls(n: int) -> Transcript:
    half = n // 30
    calls = "".join(
        f"<|start|>assistant<|channel|>commentary to=functions.f{number}<|message|>{{}}<|call|>"
        for number in range(half)
    )
    results = "".join(
        f"<|start|>functions.g{number} to=assistant<|channel|>commentary<|message|>1<|end|>" for number in range(half)
    )
    return Transcript(tuple(_encode(calls + results)), None)


@case(_inspected("vLLM 0.32"), n=1_000, most=_MOST)
def engine_arguments_written_anew(n: int) -> Transcript:
    return Transcript(tuple(_run_of('{"a" :1,"b":[ 1,2]}, ', n, _JSON + "[", "1]<|call|>")))


@case(_inspected(), n=8_000, most=4 * _MOST)
def engine_a_lost_call_of_a_long_name(n: int) -> Transcript:
    """Every other server's reader is asked as well."""
    ids = _spelled("abc_d", n, "<|channel|>commentary to=functions.", " <|constrain|>json x<|call|>")
    return Transcript(tuple(ids), finish_reason="tool_calls")


@case(_inspected(), n=8_000, most=4 * _MOST)
def engine_a_lost_call_behind_broken_markers(n: int) -> Transcript:
    ids = _spelled("<| x", n, "<|channel|>commentary to=x<|message|>", "<|call|>")
    return Transcript(tuple(ids), finish_reason="tool_calls")


def _offered(fixes: list[list[Change]]) -> None:
    taken = Taken()
    for fix in fixes:
        taken.offer(fix, "key")


@case(_offered, n=4_000, most=_MOST)
def engine_a_fix_over_all_that_were_taken(n: int) -> list[list[Change]]:
    """Alone, so that the linear work of reading does not hide what grows faster."""
    small = [[Change(Position(at), Position(at + 1))] for at in range(n)]
    return [*small, [Change(Position(0), Position(n), "x")]]


@case(_offered, n=4_000, most=_MOST)
def engine_a_fix_of_many_changes_before_all_that_were_taken(n: int) -> list[list[Change]]:
    late = [[Change(Position(n + at), Position(n + at + 1))] for at in range(n)]
    return [*late, [Change(Position(at), Position(at + 1)) for at in range(n)]]


@case(_offered, n=2_000, most=_MOST)
def engine_fixes_that_insert_at_one_place(n: int) -> list[list[Change]]:
    return [[Change(Position(3), Position(3), "x")]] * n


@case(_offered, n=2_000, most=_MOST)
def engine_fixes_that_clash_with_all_that_were_taken(n: int) -> list[list[Change]]:
    small = [[Change(Position(at, 1), Position(at + 1, 1))] for at in range(n)]
    return [*small, *([[Change(Position(0), Position(n), "x")]] * n)]


def _looked_up(ids: list[int]) -> None:
    wide = WideLookup(ids)
    for token in range(len(ids)):
        wide.of(token)


@case(_looked_up, n=4_000)
def engine_tokens_of_characters_that_never_end(n: int) -> list[int]:
    return [172] * n  # the byte F0, which begins a character of four


@case(inspect, n=1_000, most=_MOST)
def engine_broken_bytes_between_characters_spread_over_tokens(n: int) -> list[int]:
    """1857 ends one Georgian letter and begins another, 172 begins a character that nothing goes on with."""
    return [*_encode("<|channel|>a"), *([1857, 1857, 172] * (n // 3)), *_encode("<|message|>x")]
