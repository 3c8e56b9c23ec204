"""A small HTTP server that answers as it is told: like vLLM, like others, and badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = "sk-very-secret-0123456789"


class Request(BaseHTTPRequestHandler):
    """One request, and the ways to answer it."""

    protocol_version = "HTTP/1.1"
    server: FakeServer
    body: Any = None

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = json.loads(self.rfile.read(length)) if length else None
        self.server.seen.append((self.command, self.path, dict(self.headers), self.body))
        try:
            self.server.answer(self)
        except OSError:
            self.server.left.set()

    do_GET = do_POST = _handle

    def send(self, status: int, body: Any, kind: str = "application/json", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, chunks: Iterable[bytes], *, ends: bool = True) -> None:
        """Send each as a chunk of its own; ``ends=False`` cuts the connection after the last."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        if ends:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def forever(self, chunk: bytes, *, first: bytes = b"") -> None:
        """Stream a chunk over and over, as fast as it goes, until the client has left."""

        def chunks() -> Iterable[bytes]:
            if first:
                yield first
            while True:
                yield chunk

        self.stream(chunks(), ends=False)

    def drip(self, data: bytes, every_s: float) -> None:
        """Send raw bytes one at a time, over and over, until the client has left."""
        while not self.server.left.is_set():
            for at in range(len(data)):
                self.wfile.write(data[at : at + 1])
                self.wfile.flush()
                if self.server.left.wait(every_s):
                    return

    def until_left(self) -> None:
        """Return when the client has closed the connection."""
        self.rfile.read(1)
        self.server.left.set()

    def log_message(self, format: str, *args: Any) -> None:
        return


class FakeServer(ThreadingHTTPServer):
    """Runs within ``with``. ``seen`` holds (method, path, headers, body) of every request."""

    request_queue_size = 128
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: Callable[[Request], None], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.answer = answer
        self.seen: list[tuple[str, str, dict[str, str], Any]] = []
        self.left = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        return

    def __enter__(self) -> FakeServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()


def event(data: Any) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def piece(
    ids: Sequence[int],
    *,
    finish: str | None = None,
    stop: str | int | None = None,
    prompt: Sequence[int] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A piece of an answer as vLLM's completions stream it, with two alternatives per token."""
    names = [f"token_id:{one}" for one in ids]
    choice = {
        "index": 0,
        "text": "x" * len(ids),
        "logprobs": {
            "text_offset": [0] * len(ids),
            "tokens": names,
            "token_logprobs": [-3.5] * len(ids),
            "top_logprobs": [{name: -3.5, "token_id:7": -0.25, "token_id:8": -2.0} for name in names],
        },
        "finish_reason": finish,
        "stop_reason": stop,
        "prompt_token_ids": prompt,
        "token_ids": list(ids),
    }
    return {"id": "cmpl-1", "object": "text_completion", "model": "m", "choices": [choice | more]}


class LikeVllm:
    """Answers as vLLM 0.32 does: what is said to a prompt is chosen by ``says``."""

    def __init__(self, says: Callable[[list[int]], Sequence[int]], key: str = "") -> None:
        self.says = says
        self.key = key

    def __call__(self, request: Request) -> None:
        wanted = f"Bearer {self.key}"
        if self.key and request.path.startswith("/v1") and request.headers.get("Authorization") != wanted:
            request.send(401, {"error": "Unauthorized"})
        elif request.path == "/version":
            request.send(200, {"version": "0.32.0"})
        elif request.path == "/v1/models":
            request.send(200, {"object": "list", "data": [{"id": "m", "owned_by": "vllm", "max_model_len": 4096}]})
        elif request.path == "/v1/completions":
            self.complete(request)
        else:
            request.send(404, {"detail": "Not Found"})

    def complete(self, request: Request) -> None:
        prompt = request.body["prompt"]
        said = list(self.says(prompt))[: request.body["max_tokens"]]
        last = len(said) - 1
        stops = said[-1] in request.body["stop_token_ids"]
        events = [
            event(piece([token], prompt=prompt if not at else None, finish=None if at < last else "stop",
                        stop=token if at == last and stops else None))
            for at, token in enumerate(said)
        ]  # fmt: skip
        request.stream([*events, event(b"[DONE]")])
