"""Object stores that run here: their requests are recorded, and a job is told how to reach them."""

import io
import json
import logging
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

BUCKET = "pictures"


@dataclass(frozen=True)
class Store:
    """An object store.

    Attributes:
        root: `gs://` or `s3://` with the bucket.
        flags: pipeline flags by which Beam reaches it.
        environment: variables by which Beam reaches it.
        requests: method and path of every request so far, in order.
    """

    root: str
    flags: tuple[str, ...]
    environment: dict[str, str]
    requests: list[tuple[str, str]] = field(default_factory=list)

    def count(self, *methods: str) -> int:
        """Number of requests so far, of some methods or of all."""
        return sum(not methods or method in methods for method, _ in self.requests)


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Runs an HTTP server in this process and yields its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Tokens(BaseHTTPRequestHandler):
    """Gives everybody the same access token."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": "t", "expires_in": 86400, "token_type": "Bearer"})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def write_credentials(path: Path, token_port: int) -> None:
    """Writes the key of a service account that exists nowhere.

    Without any, Google's client looks for credentials for twenty seconds in every process.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "tests@project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"http://127.0.0.1:{token_port}/token",
    }
    path.write_text(json.dumps(account))


@contextmanager
def google_store(folder: Path) -> Iterator[Store]:
    """An emulator of Google Cloud Storage with one bucket."""
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed"
    )
    pytest.importorskip("google.cloud.storage", reason="the extra gcp is not installed")
    port = free_port()
    with serving(_Tokens) as token_port, pytest.MonkeyPatch.context() as patch:
        write_credentials(folder / "account.json", token_port)
        environment = {
            "STORAGE_EMULATOR_HOST": f"http://localhost:{port}",
            "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json"),
            "NO_GCE_CHECK": "true",
        }
        store = Store(f"gs://{BUCKET}", (), environment)
        handle = emulator.Router.handle
        one_at_a_time = threading.Lock()

        def recorded(router: object, method: str) -> None:
            path = router._request_handler.path  # type: ignore[attr-defined]
            store.requests.append((method, path))
            conditions = parse_qs(urlsplit(path).query).get("ifGenerationMatch")
            if method != "POST" or conditions is None:
                handle(router, method)
                return
            # The emulator knows no conditions; this is what the store itself does with them.
            with one_at_a_time:
                if _generation(server, router) == int(conditions[0]):
                    handle(router, method)
                else:
                    router._request_handler.send_error(412)  # type: ignore[attr-defined]

        patch.setattr(emulator.Router, "handle", recorded)
        logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
        server = emulator.create_server("localhost", port, in_memory=True, default_bucket=BUCKET)
        server.start()
        try:
            yield store
        finally:
            server.stop()


def _generation(server: Any, router: Any) -> int:
    """Generation of the object that a multipart upload names; 0 where there is none."""
    request = router._request_handler
    body = request.rfile.read(int(request.headers["Content-Length"]))
    request.rfile = io.BytesIO(body)  # For the emulator, which reads it again.
    [name] = re.findall(rb'"name": *"([^"]+)"', body)
    objects = server._storage.objects.get(BUCKET, {})
    found = objects.get(name.decode())
    return int(found["generation"]) if found else 0


@contextmanager
def amazon_store() -> Iterator[Store]:
    """An emulator of S3 with one bucket."""
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    boto3 = pytest.importorskip("boto3", reason="the extra aws is not installed")
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    port = free_port()
    endpoint = f"http://localhost:{port}"
    keys = {"aws_access_key_id": "t", "aws_secret_access_key": "t", "region_name": "us-east-1"}
    flags = (
        f"--s3_endpoint_url={endpoint}",
        "--s3_access_key_id=t",
        "--s3_secret_access_key=t",
        "--s3_region_name=us-east-1",
    )
    store = Store(f"s3://{BUCKET}", flags, {})

    def recorded(handler: BaseHTTPRequestHandler, *_: object) -> None:
        store.requests.append((handler.command, handler.path))

    # Beam makes a session for every request and reads all that boto3 knows each time.
    sessions = threading.local()
    make_session = boto3.session.Session

    def session() -> object:
        if not hasattr(sessions, "own"):
            sessions.own = make_session()
        return sessions.own

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3.session, "Session", session)
        patch.setattr(MotoRequestHandler, "log_request", recorded)
        server = moto.ThreadedMotoServer("127.0.0.1", port, verbose=False)
        server.start()
        try:
            boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket=BUCKET)
            yield store
        finally:
            server.stop()


def environment_of(store: Store) -> dict[str, str]:
    """This process's variables and those by which a store is reached."""
    return {**os.environ, **store.environment}
