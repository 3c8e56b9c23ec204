"""A vLLM server as an engine: token ids in, token ids out, over HTTP.

Only the host of the base URL is contacted: proxies from the environment are not used, and redirects not followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from ..tokens import START
from .engine import EngineError, EngineGone
from .limits import MOST_LENGTH, CutOff, bytes_for, event_bytes, in_time
from .server_address import parse_address
from .server_problems import body_words, is_page, plain, refused, unreachable
from .server_wire import DONE, PATHS, Failure, NoTokenIds, Route, WireError, load_json, read_piece, request_body
from .sse import EventReader, EventTooLong
from .values import Delta, SamplingParams

CONNECT_S: Final = 10.0
"""Seconds to reach the server and to hand it the request."""

SILENCE_S: Final = 600.0
"""Seconds without a byte after which a stream is given up: a request may wait long for its turn on a busy server."""

CHECK_S: Final = 60.0
"""The same for the token that :meth:`VllmServer.check` asks for. A first request may compile kernels."""

GREET_S: Final = 10.0
"""The same for its questions that need no model: a person waits for them."""

PATIENCE: Final = 3
"""How many times as long these answers may take in all: one byte a minute is no silence."""

MOST_MODELS: Final = 200
"""Models of a server that are listed, and characters of a name: a person chooses among them."""

_PROBE: Final = (START,)
_PROBE_PARAMS: Final = SamplingParams(max_tokens=1, temperature=0.0, logprobs=1)
_ENOUGH: Final = 2**20
"""Bytes that are read of an answer that is no stream."""

_OWNERS: Final = {"vllm": "vLLM", "llamacpp": "llama.cpp", "library": "Ollama", "sglang": "SGLang", "openai": "OpenAI"}
"""Who owns a model according to ``/v1/models``, and whose software says so."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that a server offers; ``max_model_len`` in tokens, prompt and answer together, None if it is not said."""

    id: str
    max_model_len: int | None = None


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server turned out to be.

    Attributes:
        version: of vLLM, "" when it says none.
        models: what it serves, in its own order.
        model: the one that will be asked.
        is_vllm: whether it says that it is vLLM.
        route: how token ids are asked for.
        can_return_ids: whether they came when asked for, so that it can be used.
        problem: why it cannot be used, in a sentence with what to do; "" when it can.
    """

    version: str = ""
    models: tuple[ServedModel, ...] = ()
    model: str = ""
    is_vllm: bool = False
    route: Route = "completions"
    can_return_ids: bool = False
    problem: str = ""


class _Bearer(httpx.Auth):
    """Puts the API key into the Authorization header, and keeps it where nothing prints it."""

    def __init__(self, key: str) -> None:
        def header() -> str:
            return f"Bearer {key}"

        self._header = header

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header()
        yield request


class VllmServer:
    """The engine at a base URL. See :class:`inspector.samplers.engine.Engine`.

    Args:
        base_url: ``http://127.0.0.1:8000``, with ``/v1`` or without.
        model: as the server calls it; None is the first that it serves.
        api_key: sent to this server only, as a bearer token, and never shown.
        route: None asks ``completions`` unless :meth:`check` finds that only ``generate`` gives out ids.
        silence_s: seconds without a byte after which a stream is given up; None is never.

    Raises:
        EngineError: the address or the key cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        route: Route | None = None,
        silence_s: float | None = SILENCE_S,
    ) -> None:
        self.address = parse_address(base_url)
        self.model = model or None
        self.name = f"server at {self.address.shown}"
        self._who = f"The server at {self.address.shown}"
        self._wanted_route = route
        self._route: Route = route or "completions"
        self._served: str | None = None
        self._silence_s = silence_s
        self._is_closed = False
        self._has_answered = False
        key = (api_key or "").strip()
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise EngineError("The API key has characters that no key has: copy it again, without quotes or spaces.")

        def hide(words: str) -> str:
            # What is shorter is no secret, and would be found in the middle of words.
            return words.replace(key, "[API key]") if len(key) >= 6 else words

        self._hide = hide
        self._has_key = bool(key)
        verify: Any = False
        if self.address.is_tls:
            # The usual authorities, and those that this machine or SSL_CERT_FILE names.
            verify = httpx.create_ssl_context(trust_env=False)
            verify.load_default_certs()
        self._client = httpx.AsyncClient(
            auth=_Bearer(key) if key else None,
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            # A compressed stream would arrive late, and could be small outside and endless inside.
            headers={"Accept-Encoding": "identity", "User-Agent": "harmonylens"},
            timeout=httpx.Timeout(CONNECT_S, read=silence_s, pool=None),
            # No connection is used twice: one that a restarted server has closed would fail the next request, and
            # one of an earlier event loop cannot be used at all. Making one is cheap beside sampling.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    def __repr__(self) -> str:
        return f"VllmServer({self.address.root!r}, model={self.model!r})"

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        """See :meth:`inspector.samplers.engine.Engine.stream`. ``params.logprobs`` alternatives come at each token,
        the likeliest first; the token that was sampled is among them only if it is one of these.

        After the server was away it may be asked again with the same object.
        """
        async with aclosing(in_time(self._streamed(prompt_ids, params), self._who, params.max_tokens)) as pieces:
            async for delta in pieces:
                yield delta

    async def _streamed(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        model = self.model or self._served or await self._first_model()
        async with aclosing(self._ask(self._route, model, prompt_ids, params, self._silence_s)) as pieces:
            async for delta in pieces:
                yield delta

    async def _ask(
        self, route: Route, model: str, prompt_ids: Sequence[int], params: SamplingParams, silence_s: float | None
    ) -> AsyncGenerator[Delta, None]:
        if not prompt_ids:
            raise EngineError("The prompt is empty: give at least one token.")
        try:
            body = request_body(route, model, prompt_ids, params)
        except ValueError as error:
            raise EngineError(str(error)) from None
        has_begun = False
        try:
            async with self._exchange("POST", PATHS[route], silence_s, body) as response:
                if response.status_code != 200:
                    await self._refuse(response, route, model)
                if "event-stream" not in response.headers.get("content-type", ""):
                    raise self._no_stream(await self._read(response), response)
                reader = EventReader(event_bytes(len(prompt_ids)))
                size = 0
                async for chunk in response.aiter_raw():
                    size += len(chunk)
                    if size > bytes_for(len(prompt_ids), params.max_tokens):
                        raise CutOff(
                            f"{self._who} sent {size:,} bytes for at most {params.max_tokens:,} tokens, and was cut "
                            "off here: is it vLLM, and does nothing between change it?"
                        )
                    for data in reader.feed(chunk):
                        delta = read_piece(data, prompt_ids, params) if data != DONE else None
                        if delta is None:
                            continue
                        has_begun = True
                        yield delta
                        if delta.finish_reason is not None:
                            return
        except Failure as failure:
            sentence = refused(
                self._who,
                failure.code,
                plain(self._hide(str(failure))),
                route=route,
                model=model,
                has_key=self._has_key,
            )
            # What is wrong with a request, vLLM may find only when the stream is open.
            raise (EngineGone if has_begun or failure.code >= 500 else EngineError)(sentence) from None
        except NoTokenIds as error:
            raise EngineError(
                f"{self._who} {error}: use vLLM 0.20 or later, whose completions take return_token_ids."
            ) from None
        except (WireError, EventTooLong) as error:
            verb = "sent an event without an end" if isinstance(error, EventTooLong) else str(error)
            raise EngineError(f"{self._who} {verb}: is it vLLM, and does nothing between change it?") from None
        raise EngineGone(f"{self._who} ended its answer in the middle: it may have been stopped; its log says why.")

    @asynccontextmanager
    async def _exchange(
        self, method: str, path: str, silence_s: float | None, body: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """One request and its answer; leaving it closes the connection, upon which vLLM aborts the request.

        Raises:
            EngineError: the server cannot be reached, or is not what the address says.
            EngineGone: it was reached, and the connection was lost.
        """
        if self._is_closed:
            raise EngineGone(f"The connection to the {self.name} was closed: connect again.")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            async with self._client.stream(
                method,
                self.address.root + path,
                content=body,
                headers=headers,
                timeout=httpx.Timeout(CONNECT_S, read=silence_s, pool=None),
            ) as response:
                self._has_answered = True
                coding = response.headers.get("content-encoding", "identity")
                if coding.strip().lower() not in ("", "identity"):
                    # Small outside and endless inside: it is not looked at.
                    raise EngineError(
                        f"{self._who} compresses its answers ({plain(coding, 40)}) although it was asked not to: turn "
                        "that off in what stands before it."
                    )
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._is_closed:
                raise EngineGone(f"The connection to the {self.name} was closed in the middle of an answer.") from None
            if isinstance(error, httpx.InvalidURL):
                raise EngineError(f"{self._who} has an address that cannot be: check it.") from None
            kind = EngineError if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else EngineGone
            raise kind(unreachable(self._who, error, silence_s or 0, path, is_known=self._has_answered)) from None

    @asynccontextmanager
    async def _question(self, path: str) -> AsyncIterator[httpx.Response]:
        """An exchange that needs no model, and no patience.

        Raises:
            EngineError: as :meth:`_exchange` does, or when it takes too long in all.
        """
        limit_s = PATIENCE * GREET_S
        try:
            async with asyncio.timeout(limit_s) as limit, self._exchange("GET", path, GREET_S) as response:
                yield response
        except TimeoutError:
            if not limit.expired():
                raise
            raise EngineError(
                f"{self._who} had not answered after {limit_s:g} s when asked for {path}: it may be overloaded or "
                "stuck; its log says more."
            ) from None

    async def _refuse(self, response: httpx.Response, route: Route, model: str) -> None:
        body = await self._read(response)
        if response.status_code == 404 and self.model is None:
            # Restarted with another model: look again the next time.
            self._served = None
        raise EngineError(
            refused(
                self._who,
                response.status_code,
                body_words(body, response.headers.get("content-type", ""), self._hide),
                route=route,
                model=model,
                has_key=self._has_key,
                location=self._hide(response.headers.get("location", "")),
            )
        )

    def _no_stream(self, body: bytes, response: httpx.Response) -> EngineError:
        if is_page(body, response.headers.get("content-type", "")):
            what = "answered with a web page: check the address, and whether a log-in stands before the server."
        else:
            what = "does not stream its answer: is it vLLM?"
        return EngineError(f"{self._who} {what}")

    async def _read(self, response: httpx.Response) -> bytes:
        """The beginning of an answer, as much as is worth reading, without the key if it repeats that."""
        parts, size = [], 0
        async for chunk in response.aiter_raw():
            parts.append(chunk)
            size += len(chunk)
            if size >= _ENOUGH:
                break
        return self._hide(b"".join(parts)[:_ENOUGH].decode("utf-8", "replace")).encode()

    async def check(self) -> ServerInfo:
        """Ask what it is, and for one token to see whether ids come back. Never raises for what a server may do."""
        version = ""
        models: tuple[ServedModel, ...] = ()
        is_vllm = False
        try:
            version = await self._version()
            is_vllm = bool(version)
            models, owner = await self._models()
            is_vllm = is_vllm or owner == "vllm"
            if not models and self.model is None:
                raise EngineError(f"{self._who} serves no model: load one into it.")
            model = self.model or models[0].id
            route = await self._probe(model, models, _OWNERS.get(owner, "") if not is_vllm else "vLLM")
        except EngineError as error:
            return ServerInfo(version, models, self.model or "", is_vllm, self._route, False, str(error))
        self._route, self._served = route, model
        self.name = f"vLLM {version} at {self.address.shown}" if version else self.name
        return ServerInfo(version, models, model, is_vllm, route, True)

    async def _probe(self, model: str, models: Sequence[ServedModel], software: str) -> Route:
        """The route that gives out ids.

        Raises:
            EngineError: there is none.
        """
        routes: tuple[Route, ...] = (self._wanted_route,) if self._wanted_route else ("completions", "generate")
        problem = ""
        for route in routes:
            try:
                asked = self._ask(route, model, _PROBE, _PROBE_PARAMS, CHECK_S)
                patience = PATIENCE * CHECK_S
                async with aclosing(in_time(asked, self._who, 1, first_s=patience, whole_s=patience)) as pieces:
                    async for _ in pieces:
                        pass
            except EngineError as error:
                # The second route is tried for what it may give; when it fails too, the first one's reason counts.
                problem = problem or str(error)
                continue
            return route
        known = [one.id for one in models]
        if known and model not in known:
            names = ", ".join(plain(one, 60) for one in known[:5])
            raise EngineError(f"{self._who} serves no model called {plain(model, 60)!r}: choose one of {names}.")
        if software not in ("", "vLLM"):
            problem = f"{problem.rstrip('.')} (it seems to be {software}, which gives out no token ids)."
        raise EngineError(problem)

    async def _version(self) -> str:
        async with self._question("/version") as response:
            if response.status_code != 200:
                return ""
            try:
                said = load_json(await self._read(response))
            except WireError:
                return ""
        version = said.get("version") if isinstance(said, dict) else None
        return plain(version, 40) if isinstance(version, str) else ""

    async def _models(self) -> tuple[tuple[ServedModel, ...], str]:
        """What is served, and the first one's owner.

        Raises:
            EngineError: the list cannot be had.
        """
        async with self._question("/v1/models") as response:
            if response.status_code != 200:
                await self._refuse(response, "completions", "")
            body = await self._read(response)
            if is_page(body, response.headers.get("content-type", "")):
                raise self._no_stream(body, response)
        try:
            said = load_json(body)
            rows = said["data"] if isinstance(said, dict) and isinstance(said.get("data"), list) else None
        except WireError:
            rows = None
        if rows is None:
            raise EngineError(f"{self._who} has no list of models at /v1/models: is it a vLLM server?")
        rows = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
        rows = [row for row in rows if 0 < len(row["id"]) <= MOST_MODELS][:MOST_MODELS]
        owner = str(rows[0].get("owned_by", "")) if rows else ""
        lengths = (row.get("max_model_len") for row in rows)
        return tuple(
            ServedModel(row["id"], length if type(length) is int and 0 < length <= MOST_LENGTH else None)
            for row, length in zip(rows, lengths, strict=True)
        ), owner

    async def _first_model(self) -> str:
        models, _ = await self._models()
        if not models:
            raise EngineError(f"{self._who} serves no model: load one into it.")
        self._served = models[0].id
        return self._served

    async def close(self) -> None:
        """See :meth:`inspector.samplers.engine.Engine.close`."""
        self._is_closed = True
        await self._client.aclose()
