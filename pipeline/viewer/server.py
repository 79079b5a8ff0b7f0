"""The viewer's server: only this machine reaches it, and it has no address that names a file."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.spec import SpecError
from pipeline.viewer import answers
from pipeline.viewer.columns import Query, QueryError
from pipeline.viewer.opened import OpenedSet
from transforms.formats.base import FormatError

_PAGE = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_NEVER = "no-store"
_KEPT = "private, max-age=3600"  # The address of a picture names the state of the data set.


class Viewer(ThreadingHTTPServer):
    """Serves one data set on 127.0.0.1.

    Args:
        opened: the data set.
        port: the port; 0 for one that is free.

    Raises:
        SpecError: the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, opened: OpenedSet, port: int) -> None:
        self.opened = opened
        self.page = {
            path: (resources.files("pipeline.viewer").joinpath(name).read_bytes(), kind)
            for path, (name, kind) in _PAGE.items()
        }
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise SpecError(
                f"--port={port} cannot be had: {error.strerror}; give another"
            ) from None
        # A name of another machine may lead here (DNS rebinding); only these are answered.
        self.hosts = {f"{host}:{self.server_port}" for host in ("127.0.0.1", "localhost")}
        if self.server_port == 80:
            self.hosts |= {"127.0.0.1", "localhost"}

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Viewer

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self._answer(421, b"this server answers to 127.0.0.1 and localhost only", "text/plain")
            return
        url = urlsplit(self.path)
        try:
            self._route(url.path, dict(parse_qsl(url.query)))
        except QueryError as error:
            self._answer(400, str(error).encode(), "text/plain")
        except (FormatError, OSError) as error:
            self._answer(500, f"{type(error).__name__}: {error}".encode(), "text/plain")

    do_HEAD = do_GET  # noqa: N815 (the name is the base class's)

    def _route(self, path: str, given: dict[str, str]) -> None:
        opened = self.server.opened
        if path in self.server.page:
            self._answer(200, *self.server.page[path])
        elif path == "/api/set":
            self._json(answers.about(opened))
        elif path == "/api/find":
            offset, limit = (_whole(given.pop(name, "0"), name) for name in ("offset", "limit"))
            self._json(answers.found(opened, Query.of(given), offset, limit))
        elif path == "/api/place":
            key = given.pop("key", "")
            self._json(answers.place_of(opened, Query.of(given), key))
        elif path == "/api/inputs":
            self._json(answers.inputs(opened, given.get("kind", ""), given.get("name", "")))
        elif path == "/api/keys":
            self._keys(Query.of(given))
        elif path.startswith("/api/sample/"):
            row = _whole(path.removeprefix("/api/sample/"), "sample")
            self._json(answers.sample(opened, row))
        elif path.startswith("/picture/"):
            self._picture(path.removeprefix("/picture/"))
        else:
            self._answer(404, b"there is nothing here", "text/plain")

    def _picture(self, name: str) -> None:
        number, _, view = name.partition("/")
        row = _whole(number, "sample")
        if not 0 <= row < self.server.opened.columns.count:
            raise QueryError(f"there is no sample {row}")
        picture = self.server.opened.picture(row, view)
        if picture is None:
            self._answer(404, b"there is no such picture", "text/plain")
        else:
            self._answer(200, *picture, cache=_KEPT)

    def _keys(self, query: Query) -> None:
        columns = self.server.opened.columns
        keys = columns.keys.take(columns.rows(query)).to_pylist()
        self._answer(200, "".join(f"{key}\n" for key in keys).encode(), "text/plain")

    def _json(self, value: Any) -> None:
        data = json.dumps(value, ensure_ascii=False, allow_nan=False, default=list).encode()
        self._answer(200, data, "application/json")

    def _answer(self, status: int, data: bytes, kind: str, cache: str = _NEVER) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", cache)
        charset = "" if kind.startswith("image/") else "; charset=utf-8"
        self.send_header("Content-Type", f"{kind}{charset}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a page asks for thousands of pictures."""


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise QueryError(f"{name}={text!r} is invalid; give a whole number")
    return int(text)
