"""What is said to a vLLM server and what it says back, without the network: requests out of parameters, tokens out of
the pieces of a streamed answer.

Two routes give out token ids. ``completions`` is ``POST /v1/completions`` with ``return_token_ids``; ``generate`` is
``POST /inference/v1/generate``, which vLLM has with ``--enable-scale-out`` since 0.30, and always before. Field names
and their behaviour were checked against vLLM 0.20, 0.26 and 0.32: ``completions`` is alike in all of them, ``generate``
gives out no stop reason before 0.32, and no alternatives before 0.22. The text of an answer is never looked at: tokens,
alternatives included, come as ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from .limits import MOST_REASON
from .values import MAX_LOGPROBS, Alternatives, Delta, SamplingParams

Route = Literal["completions", "generate"]

PATHS: Final[Mapping[Route, str]] = {"completions": "/v1/completions", "generate": "/inference/v1/generate"}

DONE: Final = "[DONE]"
"""The last event of a stream."""

_AS_ID: Final = "token_id:"
"""How vLLM names a token in ``logprobs`` with ``return_tokens_as_token_ids``."""

OURS: Final = "harmonylens_"
"""How the extra arguments of our own processors begin. Their lists go as JSON text, which
:func:`inspector.vllm_side.interface.arguments` reads: before 0.26 the values of ``vllm_xargs`` cannot be lists."""

_NAMED_BY_TEXT: Final = "names tokens in its logprobs by their text instead of their ids"

_HIGHEST: Final = 2**31
"""Ids from here on are none: vLLM keeps them in 32 bits."""

_LOWEST: Final = 1e6
"""No float32 softmax comes near minus this."""


class WireError(ValueError):
    """An answer that cannot be used; the message goes on after the server's name: "sent a piece that is no JSON"."""


class NoTokenIds(WireError):
    """The answer has text, but no ids."""


class Failure(WireError):
    """The server reported an error within its answer; the message is its own words.

    Attributes:
        code: as an HTTP status, 500 when it gave none.
    """

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def request_body(route: Route, model: str, prompt_ids: Sequence[int], params: SamplingParams) -> bytes:
    """The JSON of a streamed request.

    Every parameter is sent, also where it has its neutral value: what is left out, vLLM takes from the model's own
    ``generation_config``.

    Raises:
        ValueError: the extra arguments cannot be written as JSON.
    """
    sampling: dict[str, Any] = {
        "max_tokens": params.max_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "top_k": params.top_k,
        "min_p": params.min_p,
        "repetition_penalty": 1.0,
        "stop": list(params.stop),
        "stop_token_ids": list(params.stop_token_ids),
        "ignore_eos": params.ignore_eos,
        # Stop strings such as "<|call|>" are found in the text; it must not lack the markers.
        "skip_special_tokens": False,
    }
    if params.seed is not None:
        sampling["seed"] = params.seed
    body: dict[str, Any] = {"model": model, "stream": True, "return_token_ids": True}
    if route == "generate":
        if params.logprobs is not None:
            # This route counts the sampled token among them, which need not be one of the likeliest.
            sampling["logprobs"] = min(params.logprobs + 1, MAX_LOGPROBS)
        if params.extra:
            sampling["extra_args"] = dict(params.extra)
        body |= {"token_ids": list(prompt_ids), "sampling_params": sampling}
    else:
        if params.logprobs is not None:
            sampling |= {"logprobs": params.logprobs, "return_tokens_as_token_ids": True}
        body |= {"prompt": list(prompt_ids), **sampling}
    try:
        if route == "completions" and params.extra:
            body["vllm_xargs"] = {name: _argument(name, value) for name, value in params.extra.items()}
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"The extra arguments cannot be sent as JSON: {error}.") from None


def _argument(name: str, value: Any) -> Any:
    return json.dumps(value, allow_nan=False) if name.startswith(OURS) and isinstance(value, list | tuple) else value


def load_json(data: str | bytes) -> Any:
    """JSON of a server, which may be anything. Numbers of more than 4,300 digits are none, as everywhere in Python.

    Raises:
        WireError: it is none.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise WireError("sent something that is no JSON") from None


def read_piece(data: str, prompt_ids: Sequence[int], params: SamplingParams) -> Delta | None:
    """One event of a streamed answer, of either route. None when there are no tokens in it.

    Raises:
        Failure: it reports an error.
        NoTokenIds: there is text in the place of ids.
        WireError: it is not what vLLM sends, or the server has changed the prompt.
    """
    piece = load_json(data)
    if not isinstance(piece, dict):
        raise WireError("sent a piece that is no JSON object")
    if piece.get("error") is not None:
        raise Failure(error_words(piece) or "no reason given", _code(piece["error"]))
    choices = piece.get("choices")
    if not isinstance(choices, list):
        raise WireError("sent a piece without choices")
    if not choices:
        return None
    choice = choices[0]
    if len(choices) > 1 or not isinstance(choice, dict) or choice.get("index", 0) != 0:
        raise WireError("sent more than the one answer that was asked for")
    _compare_prompt(choice.get("prompt_token_ids", piece.get("prompt_token_ids")), prompt_ids)
    finish, stop = choice.get("finish_reason"), choice.get("stop_reason")
    if not isinstance(finish, str | None) or not isinstance(stop, str | int | None) or isinstance(stop, bool):
        raise WireError("sent a finish_reason or a stop_reason of an unknown type")
    if isinstance(stop, int):
        _id(stop)
    longest = MOST_REASON + max(map(len, params.stop), default=0)
    if any(isinstance(reason, str) and len(reason) > longest for reason in (finish, stop)):
        raise WireError(f"sent a finish_reason or a stop_reason of more than {longest:,} characters")
    given = choice.get("token_ids")
    if given is None:
        raise NoTokenIds("sent text without token ids")
    if not isinstance(given, list):
        raise WireError("sent token_ids that are no list")
    ids = tuple(_id(token) for token in given)
    if not ids and finish is None:
        return None
    logprobs, top = _logprobs(choice.get("logprobs"), ids, params.logprobs)
    return Delta(ids, logprobs, top, finish, stop)


def error_words(answer: Any) -> str:
    """What a server says went wrong, in any of the shapes that are in use, as plain text; "" when it says nothing."""
    if not isinstance(answer, dict):
        return ""
    for key in ("error", "message", "detail"):
        value = answer.get(key)
        if isinstance(value, dict):
            value = value.get("message")
        elif isinstance(value, list):
            value = "; ".join(str(one.get("msg", "")) for one in value[:5] if isinstance(one, dict))
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _code(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code <= 599 else 500


def _compare_prompt(told: Any, sent: Sequence[int]) -> None:
    """Servers repeat the prompt in the first piece: here it is seen that nothing was put before it or cut off."""
    if told is None:
        return
    if not isinstance(told, list):
        raise WireError("sent prompt_token_ids that are no list")
    if told != list(sent):
        at = next((i for i, (a, b) in enumerate(zip(told, sent, strict=False)) if a != b), min(len(told), len(sent)))
        raise WireError(
            f"changed the prompt: {len(sent)} tokens were sent and {len(told)} used, they differ from token {at} on"
        )


def _id(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _HIGHEST:
        raise WireError("sent a token id that is none")
    return value


def _logprobs(
    given: Any, ids: tuple[int, ...], count: int | None
) -> tuple[tuple[float | None, ...], tuple[Alternatives, ...]]:
    if count is None or given is None:
        # An answer that ends without a further token has none of them.
        if count is not None and ids:
            raise WireError("sent tokens without the logprobs that were asked for")
        return (), ()
    if not isinstance(given, dict):
        raise WireError("sent logprobs that are no JSON object")
    rows = _generate_rows(given) if "content" in given else _completion_rows(given)
    if [token for token, _, _ in rows] != list(ids):
        raise WireError("sent logprobs of other tokens than the token ids beside them")
    logprobs = tuple(value for _, value, _ in rows)
    ranked = (sorted(top, key=lambda one: -one[1])[:count] for _, _, top in rows)
    return logprobs, tuple(tuple(top) for top in ranked)


_Row = tuple[int, float | None, list[tuple[int, float]]]


def _completion_rows(given: dict[str, Any]) -> list[_Row]:
    """``{"tokens": [...], "token_logprobs": [...], "top_logprobs": [{token: logprob}]}``."""
    columns = [given.get(key) for key in ("tokens", "token_logprobs", "top_logprobs")]
    if not all(isinstance(column, list) for column in columns) or len({len(column or ()) for column in columns}) != 1:
        raise WireError("sent logprobs that are no lists of one length")
    rows: list[_Row] = []
    for token, logprob, top in zip(*(column or () for column in columns), strict=True):
        if not isinstance(top, dict | None):
            raise WireError("sent top_logprobs that are no JSON object")
        pairs = [(_named_id(name), _logprob(value)) for name, value in top.items()] if top else []
        rows.append((_named_id(token), _logprob(logprob), [(one, value) for one, value in pairs if value is not None]))
    return rows


def _generate_rows(given: dict[str, Any]) -> list[_Row]:
    """``{"content": [{"token_id": id, "logprob": x, "top_logprobs": [...]}]}``; before 0.32 with ``token`` instead."""
    content = given["content"]
    if not isinstance(content, list | None):
        raise WireError("sent logprobs that are no list")
    rows: list[_Row] = []
    for one in content or ():
        token, logprob = _entry(one)
        top = one.get("top_logprobs") or []
        if not isinstance(top, list):
            raise WireError("sent top_logprobs that are no list")
        pairs = map(_entry, top)
        told = [(other, value) for other, value in pairs if value is not None]
        # vLLM before 0.22 gives every alternative the name of the sampled token: which ones they are is not known.
        is_told = len({other for other, _ in told}) == len(told)
        rows.append((token, logprob, told if is_told else []))
    return rows


def _entry(one: Any) -> tuple[int, float | None]:
    if not isinstance(one, dict):
        raise WireError("sent a logprob that is no JSON object")
    token = _id(one["token_id"]) if "token_id" in one else _named_id(one.get("token"))
    return token, _logprob(one.get("logprob"))


def _named_id(name: Any) -> int:
    if not isinstance(name, str):
        raise WireError(_NAMED_BY_TEXT)
    return _id_of_name(name)


@lru_cache(maxsize=2**16)
def _id_of_name(name: str) -> int:
    # Remembered: with five alternatives a token this is a fifth of the work of reading an answer.
    digits = name.removeprefix(_AS_ID) if name.startswith(_AS_ID) else ""
    if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
        raise WireError(_NAMED_BY_TEXT)
    return _id(int(digits))


def _logprob(value: Any) -> float | None:
    """A natural logarithm of a probability; rounding may lift one that is certain a little above 0.

    vLLM writes -9999.0 for minus infinity, and null where there is none.
    """
    if value is None:
        return None
    # Compared, not converted: an integer in JSON may be too long for a float, and NaN is not between anything.
    if type(value) not in (int, float) or not -_LOWEST <= value <= 0.01:
        raise WireError("sent a logprob that is none")
    return float(value)
