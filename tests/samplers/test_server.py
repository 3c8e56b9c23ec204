"""The engine that is a vLLM server, before servers that answer like vLLM, like others, and with malice."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.samplers.draft import Draft
from inspector.samplers.engine import Engine, EngineError, EngineGone
from inspector.samplers.sampler import OneShot
from inspector.samplers.sampler import run as sample
from inspector.samplers.server import ServerInfo, VllmServer
from inspector.samplers.server_address import parse_address
from inspector.samplers.server_problems import body_words, plain, unreachable
from inspector.samplers.server_wire import Failure, WireError, error_words, read_piece, request_body
from inspector.samplers.tool_loop import ToolLoop
from inspector.samplers.values import Delta, Rollout, SamplingParams
from inspector.tokens import CALL, RETURN, vocabulary

from ..aio import run as finish
from .fake_server import KEY, FakeServer, LikeVllm, Request, event, piece

encode = vocabulary().encode_markers
PROMPT = encode("<|start|>user<|message|>How much is it?<|end|><|start|>assistant")
CALLED = encode('<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>')
SAID = encode("<|channel|>final<|message|>906.<|return|>")
PARAMS = SamplingParams(logprobs=2)
SAYS = LikeVllm(lambda prompt: SAID)

Answer = Callable[[Request], None]


def streaming(*chunks: bytes, ends: bool = True) -> Answer:
    """Streams these to every request for tokens, and is vLLM otherwise."""

    def answer(request: Request) -> None:
        if request.path == "/v1/completions":
            request.stream(chunks, ends=ends)
        else:
            SAYS(request)

    return answer


def with_status(status: int, body: Any, kind: str = "application/json", **headers: str) -> Answer:
    def answer(request: Request) -> None:
        if request.path == "/v1/completions":
            request.send(status, body, kind, **headers)
        else:
            SAYS(request)

    return answer


async def deltas(server: VllmServer, prompt: Sequence[int] = PROMPT, params: SamplingParams = PARAMS) -> list[Delta]:
    async with aclosing(server.stream(prompt, params)) as pieces:
        return [delta async for delta in pieces]


def rollout_from(answer: Answer, params: SamplingParams = PARAMS, **options: Any) -> Rollout:
    with FakeServer(answer) as fake:
        (rollout,) = sample(OneShot(), VllmServer(fake.url, **options), [PROMPT], params)
    return rollout


def checked(answer: Answer, **options: Any) -> ServerInfo:
    with FakeServer(answer) as fake:
        return finish(VllmServer(fake.url, **options).check())


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        (" http://127.0.0.1:8000/ ", "http://127.0.0.1:8000"),
        ("http://host:8000/v1", "http://host:8000"),
        ("HTTPS://Host.example/v1/", "https://host.example"),
        ("https://host/proxy//llm/v1/chat/completions", "https://host/proxy/llm"),
        ("http://host/inference/v1/generate", "http://host"),
        ("http://host/v1x", "http://host/v1x"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("\ufeffhttp\u2060://127.0.0.1:80\u200b00\u200b ", "http://127.0.0.1:8000"),
    ],
)
def test_an_address_as_people_give_it(given: str, root: str) -> None:
    assert parse_address(given).root == root


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is empty"),
        ("gpu-box:8000", "write http://gpu-box:8000 or, if it encrypts, https://gpu-box:8000"),
        ("ftp://host", "begins with ftp://"),
        ("http://", "names no host"),
        ("http://host:port", "a host or a port that cannot be"),
        ("http://host:99999", "a host or a port that cannot be"),
        ("http://host:0", "names no host or no port"),
        ("http://[::1", "a host or a port that cannot be"),
        ("http://a b", "a space or another character"),
        ("http://host\n:80", "a space or another character"),
        ("http://host?x=1", "a ? or a #"),
        (f"http://me:{KEY}@host", "a name or a password in it"),
    ],
)
def test_an_address_that_is_none(given: str, said: str) -> None:
    with pytest.raises(EngineError) as told:
        VllmServer(given)
    assert said in str(told.value)
    assert KEY not in str(told.value)


@given(st.text(max_size=40))
def test_any_text_as_an_address_is_an_address_or_a_sentence(text: str) -> None:
    try:
        root = parse_address(text).root
    except EngineError as error:
        said = str(error)
    else:
        said = "."
        assert parse_address(root).root == root
    assert said.endswith(".")


def test_ids_logprobs_and_alternatives_come_as_they_were_sampled() -> None:
    with FakeServer(SAYS) as fake:
        server = VllmServer(fake.url)
        assert isinstance(server, Engine)
        told = finish(deltas(server))
        asked = [body for method, _, _, body in fake.seen if method == "POST"]
    assert [one for delta in told for one in delta.ids] == SAID
    assert {delta.logprobs for delta in told} == {(-3.5,)}
    # The sampled token came beside the two likeliest, and is not one of them.
    assert {delta.top for delta in told} == {(((7, -0.25), (8, -2.0)),)}
    assert [delta.finish_reason for delta in told] == [None] * (len(SAID) - 1) + ["stop"]
    (body,) = asked
    assert body["model"] == "m"
    assert body["prompt"] == PROMPT
    assert body | {"stream": True, "return_token_ids": True, "logprobs": 2, "return_tokens_as_token_ids": True} == body
    assert body | {"skip_special_tokens": False, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0} == body
    assert "seed" not in body


def test_the_loop_goes_over_the_server_and_encodes_nothing_again() -> None:
    with FakeServer(LikeVllm(lambda prompt: SAID if CALL in prompt else CALLED)) as fake:
        first, second = sample(ToolLoop(), VllmServer(fake.url), [PROMPT, PROMPT], PARAMS)
        prompts = [body["prompt"] for method, _, _, body in fake.seen if method == "POST"]
    assert not first.error
    assert [turn.stop_reason for turn in first.turns] == [CALL, None]
    assert first.ids == second.ids
    assert list(first.ids[: len(CALLED)]) == CALLED
    assert sorted(map(len, prompts)) == [len(PROMPT)] * 2 + [len(PROMPT) + first.turns[1].start] * 2


def test_what_is_sent_on_each_route() -> None:
    params = SamplingParams(
        max_tokens=7, temperature=0.5, top_p=0.9, top_k=3, min_p=0.1, seed=5, stop=("x",), stop_token_ids=(CALL,),
        ignore_eos=True, logprobs=20, extra={"harmonylens_script": [1, 2]},
    )  # fmt: skip
    common = {
        "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "min_p": 0.1, "seed": 5,
        "stop": ["x"], "stop_token_ids": [CALL], "ignore_eos": True, "skip_special_tokens": False,
    }  # fmt: skip
    body = json.loads(request_body("completions", "m", [1, 2], params))
    wanted = common | {"logprobs": 20, "vllm_xargs": {"harmonylens_script": "[1, 2]"}, "prompt": [1, 2]}
    assert body | wanted == body
    body = json.loads(request_body("generate", "m", [1, 2], params))
    assert body["token_ids"] == [1, 2]
    wanted = common | {"logprobs": 20, "extra_args": {"harmonylens_script": [1, 2]}}
    assert body["sampling_params"] | wanted == body["sampling_params"]
    nothing = json.loads(request_body("completions", "m", [1], SamplingParams(logprobs=None)))
    assert not {"logprobs", "vllm_xargs", "seed"} & set(nothing)


@pytest.mark.parametrize("extra", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"x"}, {"harmonylens_x": [{1}]}])
def test_arguments_that_are_no_json_are_refused_here(extra: dict[str, Any]) -> None:
    rollout = rollout_from(SAYS, SamplingParams(extra=extra))
    assert "cannot be sent as JSON" in rollout.error


def test_logprobs_are_not_asked_for_and_do_not_come() -> None:
    answer = streaming(event(piece([5, 6], finish="length", logprobs=None)))
    assert rollout_from(answer, SamplingParams(logprobs=None)).logprobs == ()


def test_the_other_route_in_both_of_its_spellings() -> None:
    def entry(token: int, logprob: float | None, **more: Any) -> dict[str, Any]:
        return {"token_id": token, "logprob": logprob, "rank": 1, **more}

    new = {"content": [entry(5, -9.0, top_logprobs=[entry(5, -9.0), entry(7, -0.5), entry(8, -1.0)])]}
    named = {"token": "token_id:6", "logprob": -1.0}
    old = {"content": [named | {"top_logprobs": [named]}]}
    chunks = [
        {"prompt_token_ids": PROMPT, "choices": [{"index": 0, "token_ids": [5], "logprobs": new}]},
        {"choices": [{"index": 0, "token_ids": [6], "logprobs": old, "finish_reason": "length"}]},
    ]

    def answer(request: Request) -> None:
        if request.path == "/inference/v1/generate":
            request.stream([*map(event, chunks), event(b"[DONE]")])
        elif request.path == "/v1/completions":
            request.send(404, {"detail": "Not Found"})
        else:
            SAYS(request)

    rollout = rollout_from(answer, route="generate")
    assert (rollout.ids, rollout.logprobs, rollout.finish_reason) == ((5, 6), (-9.0, -1.0), "length")
    assert rollout.top == (((7, -0.5), (8, -1.0)), ((6, -1.0),))
    # A server that has only this one is found out, and asked on it from then on.
    chunks[0]["prompt_token_ids"] = None
    with FakeServer(answer) as fake:
        server = VllmServer(fake.url)
        info = finish(server.check())
        assert (info.route, info.problem) == ("generate", "")
        assert len(finish(deltas(server))) == 2


def test_alternatives_that_all_bear_the_name_of_the_sampled_token_are_not_known() -> None:
    """As vLLM 0.20 and 0.21 write them on the other route."""
    named = [{"token": "token_id:5", "logprob": value} for value in (-9.0, -0.5, -1.0)]
    logprobs = {"content": [named[0] | {"top_logprobs": named}]}
    told = piece([5], finish="length") | {"choices": [{"index": 0, "token_ids": [5], "logprobs": logprobs,
                                                       "finish_reason": "length"}]}  # fmt: skip

    def answer(request: Request) -> None:
        if request.path == "/inference/v1/generate":
            request.stream([event(told), event(b"[DONE]")])
        else:
            SAYS(request)

    rollout = rollout_from(answer, SamplingParams(logprobs=2), route="generate")
    assert (rollout.error, rollout.ids, rollout.logprobs, rollout.top) == ("", (5,), (-9.0,), ())


NAMED = piece([5], finish="length")
OTHERS: list[tuple[str, Answer, str]] = [
    ("cut off", streaming(event(piece([5])), ends=False), "closed the connection without a complete answer"),
    ("no end", streaming(event(piece([5])), event(b"[DONE]")), "ended its answer in the middle"),
    ("nothing", streaming(), "ended its answer in the middle"),
    ("error within", streaming(event(piece([5])), event({"error": {"message": "it broke", "code": 500}})), "it broke"),
    ("refused within", streaming(event({"error": {"message": "out of vocabulary", "code": 400}})), "out of vocabulary"),
    ("error as text", streaming(event({"error": "it broke"})), "it broke"),
    ("another prompt", streaming(event(piece([5], prompt=[1, *PROMPT]))), "differ from token 0 on"),
    ("a shorter prompt", streaming(event(piece([5], prompt=PROMPT[:-1]))), f"{len(PROMPT) - 1} used"),
    ("text", streaming(event(piece([5], token_ids=None))), "sent text without token ids: use vLLM 0.20 or later"),
    ("no JSON", streaming(event(b"{")), "sent something that is no JSON"),
    ("a list", streaming(event([1])), "no JSON object"),
    ("deep JSON", streaming(event(b"[" * 100_000)), "no JSON"),
    ("no choices", streaming(event({})), "without choices"),
    ("two answers", streaming(event({"choices": NAMED["choices"] * 2})), "more than the one answer"),
    ("odd ids", streaming(event(piece([5], token_ids=["5"]))), "a token id that is none"),
    ("huge ids", streaming(event(piece([2**40]))), "a token id that is none"),
    ("true ids", streaming(event(piece([5], token_ids=[True]))), "a token id that is none"),
    ("no logprobs", streaming(event(piece([5], logprobs=None))), "without the logprobs"),
    ("other logprobs", streaming(event(piece([5], token_ids=[6]))), "logprobs of other tokens"),
    ("named by text", streaming(event({"choices": [{"token_ids": [5], "logprobs": {
        "tokens": ["x"], "token_logprobs": [-1], "top_logprobs": [None]}}]})), "by their text"),
    ("impossible", streaming(event(piece([5], logprobs={"tokens": ["token_id:5"], "token_logprobs": [700.0],
                                                         "top_logprobs": [None]}))), "a logprob that is none"),
    ("NaN", streaming(event(piece([5], logprobs={"tokens": ["token_id:5"], "token_logprobs": [float("nan")],
                                                  "top_logprobs": [None]}))), "a logprob that is none"),
    ("odd reason", streaming(event(piece([5], finish_reason=["x"]))), "unknown type"),
    ("-inf", streaming(event(piece([5], logprobs={"tokens": ["token_id:5"], "token_logprobs": [-10**400],
                                                   "top_logprobs": [None]}))), "a logprob that is none"),
    ("endless", streaming(b"data: ", *[b"x" * 2**20] * 17), "an event without an end"),
    ("400", with_status(400, {"error": {"message": "is\n too  \x1b[31mlarge."}}), "(HTTP 400): is too [31mlarge."),
    ("400 in a list", with_status(422, {"detail": [{"msg": "field required"}]}), "field required"),
    ("400 long", with_status(400, {"message": "x" * 9999}), "xxx…."),
    ("400 silent", with_status(400, b""), "gave no reason"),
    ("401", with_status(401, {"error": "Unauthorized"}), "wants an API key (HTTP 401: Unauthorized)"),
    ("404 model", with_status(404, {"error": {"message": "The model `m` is not."}}), "serves no model called 'm'"),
    ("404 route", with_status(404, {"detail": "Not Found"}), "has no /v1/completions"),
    ("429", with_status(429, {"error": {"message": "slow down"}}), "too much to do"),
    ("500", with_status(500, {"error": {"message": "EngineCore died"}}), "failed (HTTP 500: EngineCore died): its log"),
    ("502", with_status(502, b"<html><title>Bad <Gateway></title>", "text/html"), "is not ready, or what stands"),
    ("a page", with_status(200, b"<!DOCTYPE html><title>Log in</title>", "text/html"), "answered with a web page"),
    ("no stream", with_status(200, {"choices": []}), "does not stream its answer"),
    ("redirect", with_status(307, b"", Location="http://a.example/x"), "redirects to http://a.example/x, and nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "said"), [one[1:] for one in OTHERS], ids=[one[0] for one in OTHERS])
def test_what_is_no_answer_is_a_sentence(answer: Answer, said: str) -> None:
    rollout = rollout_from(answer)
    assert rollout.ended_by == "failed"
    assert said in rollout.error
    assert rollout.error.startswith("The server at 127.0.0.1:")
    assert rollout.error[-1] in ".?"
    assert len(rollout.error) < 500
    assert rollout.error.isprintable()


@pytest.mark.parametrize("name", ["cut off", "no end", "error within"])
def test_an_engine_that_ends_in_the_middle_is_gone_and_what_had_come_is_kept(name: str) -> None:
    answer = next(one[1] for one in OTHERS if one[0] == name)
    assert rollout_from(answer).ids == (5,)
    with FakeServer(answer) as fake, pytest.raises(EngineGone):
        finish(deltas(VllmServer(fake.url)))


def test_a_refusal_is_no_end_of_the_engine() -> None:
    answer = next(one[1] for one in OTHERS if one[0] == "refused within")
    with FakeServer(answer) as fake, pytest.raises(EngineError) as told:
        finish(deltas(VllmServer(fake.url)))
    assert not isinstance(told.value, EngineGone)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "index", "token_ids", "logprobs", "tokens", "token_logprobs", "top_logprobs",
                         "content", "error", "finish_reason", "stop_reason", "prompt_token_ids", "token_id:5"]),
        inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON, JSON, JSON)
def test_whatever_json_comes_is_tokens_or_a_reason(whole: Any, logprobs: Any, reason: Any) -> None:
    for said in (whole, piece([5], logprobs=logprobs), piece([5], finish=reason), {"choices": [whole]}):
        code, told = 500, "tokens"
        try:
            delta = read_piece(json.dumps(said), [1], PARAMS)
        except Failure as failure:
            code = failure.code
        except WireError as error:
            told = str(error)
        else:
            assert delta is None or len(delta.logprobs) in (0, len(delta.ids))
        assert 400 <= code <= 599
        assert told
    assert isinstance(error_words(whole), str)


def test_a_server_that_falls_silent_is_given_up() -> None:
    rollout = rollout_from(holding, silence_s=0.3)
    assert "sent nothing for 0.3 s" in rollout.error
    assert rollout.ids == (5,)


def test_nobody_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = VllmServer(f"http://127.0.0.1:{bound.getsockname()[1]}")
        info = finish(server.check())
        assert info.problem.endswith("nothing listens on that port; start the server or check the port.")
        with pytest.raises(EngineError, match="cannot be reached"):
            finish(deltas(server))


def test_a_server_that_does_not_encrypt_and_one_that_is_not_trusted() -> None:
    with FakeServer(SAYS) as fake:
        info = finish(VllmServer(fake.url.replace("http", "https")).check())
    assert "does not speak TLS" in info.problem
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    error = httpx.ConnectError("all attempts failed")
    error.__cause__ = ExceptionGroup("several", [OSError("one"), untrusted])
    assert "a certificate that is not trusted (self-signed certificate)" in unreachable("It", error, 1)
    assert "does not answer" in unreachable("It", httpx.ConnectTimeout(""), 1)
    unknown = httpx.ConnectError("")
    unknown.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert "cannot be found" in unreachable("It", unknown, 1)


def test_an_answer_that_is_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        info = finish(VllmServer(f"http://127.0.0.1:{listening.getsockname()[1]}").check())
        thread.join()
    assert "closed the connection without a complete answer" in info.problem


def test_a_server_that_can() -> None:
    with FakeServer(LikeVllm(lambda prompt: [5], key=KEY)) as fake:
        server = VllmServer(fake.url + "/v1/", api_key=KEY)
        assert server.name == f"server at 127.0.0.1:{fake.port}"
        info = finish(server.check())
        assert server.name == f"vLLM 0.32.0 at 127.0.0.1:{fake.port}"
    assert (info.version, info.model, info.is_vllm, info.route, info.can_return_ids, info.problem) == (
        "0.32.0", "m", True, "completions", True, "",
    )  # fmt: skip
    assert [(one.id, one.max_model_len) for one in info.models] == [("m", 4096)]


def other(owner: str, completion: Answer, *, models: Any = None) -> Answer:
    """A server of another maker."""

    def answer(request: Request) -> None:
        if request.path == "/v1/models":
            request.send(200, {"data": [{"id": "m", "owned_by": owner}]} if models is None else models)
        elif request.path == "/v1/completions":
            completion(request)
        else:
            request.send(404, b"404 page not found", "text/plain")

    return answer


def text_only(request: Request) -> None:
    choice = {"index": 0, "text": "Hi", "logprobs": {"tokens": ["Hi"], "token_logprobs": [-1.0], "top_logprobs": [{}]}}
    request.stream([event({"choices": [choice]}), event(b"[DONE]")])


NO_ARRAYS = {"error": {"message": "json: cannot unmarshal array into Go struct field CompletionRequest.prompt"}}


@pytest.mark.parametrize(
    ("answer", "options", "said"),
    [
        (other("vllm", text_only), {}, "sent text without token ids: use vLLM 0.20 or later"),
        (other("sglang", text_only), {}, "it seems to be SGLang, which gives out no token ids"),
        (other("llamacpp", text_only), {}, "it seems to be llama.cpp"),
        (other("library", lambda r: r.send(400, NO_ARRAYS)), {}, "cannot unmarshal array"),
        (other("library", lambda r: r.send(400, NO_ARRAYS)), {}, "it seems to be Ollama"),
        (other("openai", text_only, models={"error": {"message": "no", "code": 401}}), {}, "no list of models"),
        (other("x", text_only, models=b"null"), {}, "no list of models"),
        (other("x", text_only, models={"data": []}), {}, "serves no model: load one"),
        (other("x", text_only, models={"data": [7, {"id": ""}, {"id": 7}]}), {}, "serves no model: load one"),
        (SAYS, {"model": "nope", "route": "generate"}, "serves no model called 'nope': choose one of m."),
        (SAYS, {"route": "generate"}, "has no /inference/v1/generate"),
        (LikeVllm(lambda prompt: [5], key=KEY), {}, "wants an API key"),
        (LikeVllm(lambda prompt: [5], key=KEY), {"api_key": "wrong"}, "does not accept the API key"),
        (lambda r: r.send(200, b"<!doctype html><p>Hello", "text/html"), {}, "a web page"),
        (lambda r: r.send(404, b"<html><title>Nothing</title>", "text/html"), {}, "a web page, 'Nothing'"),
        (lambda r: r.send(302, b"", Location="https://login.example/"), {}, "redirects to https://login.example/"),
        (lambda r: r.send(503, {"message": "loading"}), {}, "is not ready"),
    ],
)
def test_a_server_that_cannot_and_why(answer: Answer, options: dict[str, Any], said: str) -> None:
    info = checked(answer, **options)
    assert said in info.problem
    assert not info.can_return_ids
    assert info.problem[-1] in ".?"


def test_scale_out_routes_that_are_off() -> None:
    words = "Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them."

    def answer(request: Request) -> None:
        if request.path.startswith("/inference"):
            request.send(403, {"error": {"message": words, "code": 403}})
        else:
            SAYS(request)

    assert "started without --enable-scale-out" in checked(answer, route="generate").problem


def test_only_the_given_host_is_contacted(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(SAYS) as elsewhere:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, elsewhere.url)
        assert rollout_from(SAYS).ids == tuple(SAID)
        assert "redirects to" in rollout_from(with_status(308, b"", Location=f"{elsewhere.url}/v1/completions")).error
        assert elsewhere.seen == []


def test_the_key_is_in_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []

    def echo(request: Request) -> None:
        header = request.headers.get("Authorization", "")
        if request.path == "/v1/completions":
            # Where words are shortened, no part of the key may be left over.
            request.send(500, {"error": {"message": "y" * 270 + f" bad key {header}; {header}"}})
        else:
            request.send(401, b"<html><title>" + header.encode() + b"</title>", "text/html")

    with FakeServer(echo) as fake:
        server = VllmServer(fake.url, model="m", api_key=f" {KEY}\n")
        told.append(finish(server.check()).problem)
        try:
            finish(deltas(server))
        except EngineError as error:
            told += [str(error), repr(error)]
            told += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        told += [repr(server), str(server), server.name, repr(vars(server)), caplog.text]
        assert {seen[2].get("Authorization") for seen in fake.seen} == {f"Bearer {KEY}"}
    whole = "\n".join(told)
    assert "[API key]" in whole
    for size in range(8, len(KEY)):
        assert KEY[:size] not in whole


@pytest.mark.parametrize("key", ["two words", "schlüssel", "a\nb", "x\0"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(EngineError) as told:
        VllmServer("http://127.0.0.1:1", api_key=key)
    assert key not in str(told.value)


@pytest.mark.timeout(60)
def test_sixty_four_at_once() -> None:
    together = threading.Barrier(64)

    def answer(request: Request) -> None:
        if request.path == "/v1/completions":
            together.wait(30)
        SAYS(request)

    with FakeServer(answer) as fake:
        rollouts = sample(OneShot(), VllmServer(fake.url), [PROMPT] * 64, PARAMS)
    assert {(one.ids, one.error) for one in rollouts} == {(tuple(SAID), "")}


def test_one_object_outlives_event_loops_and_servers() -> None:
    with FakeServer(SAYS) as fake:
        server = VllmServer(fake.url)
        port = fake.port
        for _ in range(2):
            assert sample(OneShot(), server, [PROMPT], PARAMS)[0].ids == tuple(SAID)
    assert "cannot be reached" in sample(OneShot(), server, [PROMPT], PARAMS)[0].error
    with FakeServer(SAYS, port):
        assert sample(OneShot(), server, [PROMPT], PARAMS)[0].ids == tuple(SAID)


def test_a_server_that_comes_back_with_another_model_is_asked_for_that() -> None:
    serves = ["m"]

    def answer(request: Request) -> None:
        if request.path == "/v1/models":
            request.send(200, {"data": [{"id": serves[0]}]})
        elif request.body["model"] != serves[0]:
            request.send(404, {"error": {"message": "The model does not exist."}})
        else:
            SAYS(request)

    with FakeServer(answer) as fake:
        server = VllmServer(fake.url)
        assert not sample(OneShot(), server, [PROMPT], PARAMS)[0].error
        serves[0] = "n"
        assert "serves no model called 'm'" in sample(OneShot(), server, [PROMPT], PARAMS)[0].error
        assert not sample(OneShot(), server, [PROMPT], PARAMS)[0].error


def holding(request: Request) -> None:
    """Sends one token, then waits for the client to leave."""
    if request.path == "/v1/completions":
        request.stream([event(piece([5]))], ends=False)
        request.until_left()
    else:
        SAYS(request)


@pytest.mark.timeout(60)
def test_closing_the_answer_closes_the_connection() -> None:
    async def one_token(server: VllmServer) -> Delta:
        async with aclosing(server.stream(PROMPT, PARAMS)) as pieces:
            return await anext(pieces)

    with FakeServer(holding) as fake:
        assert finish(one_token(VllmServer(fake.url))).ids == (5,)
        assert fake.left.wait(30)


@pytest.mark.timeout(60)
def test_cancelling_a_sampler_closes_the_connection() -> None:
    async def cancelled(server: VllmServer) -> list[Draft]:
        drafts: list[Draft] = []
        came = asyncio.Event()

        def listener(number: int, draft: Draft) -> None:
            drafts.append(draft)
            came.set()

        task = asyncio.create_task(OneShot().sample(server, [PROMPT], PARAMS, listener))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return drafts

    with FakeServer(holding) as fake:
        draft = finish(cancelled(VllmServer(fake.url)))[-1]
        assert fake.left.wait(30)
    assert (draft.rollout().ended_by, draft.rollout().ids) == ("cancelled", (5,))


@pytest.mark.timeout(60)
def test_closing_the_engine_ends_what_is_streamed() -> None:
    async def closed(server: VllmServer) -> None:
        async with aclosing(server.stream(PROMPT, PARAMS)) as pieces:
            await anext(pieces)
            waiting = asyncio.create_task(anext(pieces))
            await asyncio.sleep(0)
            await server.close()
            with pytest.raises(EngineGone, match="was closed in the middle"):
                await waiting
        with pytest.raises(EngineGone, match="was closed: connect again"):
            await deltas(server)

    with FakeServer(holding) as fake:
        finish(closed(VllmServer(fake.url)))
        assert fake.left.wait(30)


def test_words_of_others_are_made_plain() -> None:
    assert plain("a\x1b[31m\n b\u202e. ") == "a [31m b"
    assert plain("x" * 500, 10) == "x" * 9 + "…"
    assert body_words(b"\xff\xfe<b>no</b>", "", str) == "\ufffd\ufffd no"


def test_the_tokens_that_end_an_answer_are_known() -> None:
    assert (SAID[-1], CALLED[-1]) == (RETURN, CALL)
