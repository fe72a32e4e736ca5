"""A stand-in for the Hugging Face hub: it serves the files of datasets and models, and fails on request."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BUSY, CUT, CORRUPT = "busy", "cut", "corrupt"


@dataclass
class HubStandIn:
    """Serves ``files`` ({repository/file: bytes}) at any revision.

    Each GET takes one of ``faults``: BUSY (503), CUT (half of the bytes, then the connection closes) or CORRUPT (other
    bytes). The first ``busy_heads`` HEADs get a 503, and so does every request for one of ``busy_names``. If ``gated``,
    every request is refused. ``downloads`` lists every GET: its file, and the byte it starts from.
    """

    files: dict[str, bytes]
    faults: list[str] = field(default_factory=list)
    busy_heads: int = 0
    busy_names: set[str] = field(default_factory=set)
    gated: bool = False
    downloads: list[tuple[str, int]] = field(default_factory=list)
    endpoint: str = ""


@contextmanager
def served(hub: HubStandIn) -> Iterator[HubStandIn]:
    """Serve ``hub`` on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def point_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what HF_ENDPOINT does if it is set before huggingface_hub is imported."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + template)


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn

    def do_HEAD(self) -> None:
        if self.hub.busy_heads > 0:
            self.hub.busy_heads -= 1
            self._fail(503)
        else:
            self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        match = re.fullmatch(r"(?:/datasets)?/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        name = f"{match[1]}/{match[3]}" if match else ""
        if self.hub.gated:
            self._fail(403, {"X-Error-Code": "GatedRepo"})
            return
        if name not in self.hub.files:
            self._fail(404, {"X-Error-Code": "EntryNotFound"} | ({"X-Repo-Commit": match[2]} if match else {}))
            return
        if name in self.hub.busy_names:
            self._fail(503)
            return
        content = self.hub.files[name]
        digest = hashlib.sha256(content).hexdigest()
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        fault = ""
        if body:
            self.hub.downloads.append((name, start))
            fault = self.hub.faults.pop(0) if self.hub.faults else ""
        if fault == BUSY:
            self._fail(503)
            return
        if fault == CORRUPT:
            content = content[::-1]
        part = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", match[2])
        self.send_header("ETag", f'"{digest}"')
        self.send_header("Content-Length", str(len(part)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            self.wfile.write(part[: len(part) // 2] if fault == CUT else part)
            self.close_connection = True

    def _fail(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Log nothing: the tests read ``downloads``."""
