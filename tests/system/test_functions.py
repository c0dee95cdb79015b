"""The serverless promise: a file and a stanza make a function."""

import time
from pathlib import Path

from tests.system.service import Service, copy_project, key_stanza

HELLO = '''"""GET /hello."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


async def hello(request: Request) -> Response:
    """Greet, after as many minutes as the body has bytes."""
    await asyncio.sleep(60 * len(await request.body()))
    return JSONResponse({"hello": "world"})
'''
STANZA = """
[[functions]]
path = "/hello"
handler = "handlers.hello:hello"
scope = "greet"
methods = ["POST"]
limits = ["3/minute"]
max_body_bytes = 5
body_timeout_s = 2
timeout_s = 2
"""


def test_a_function_is_a_file_and_a_stanza(tmp_path: Path) -> None:
    """In a copy of the project with nothing else edited, scope, limits and deadline hold."""
    root = copy_project(tmp_path / "project")
    (root / "handlers" / "hello.py").write_text(HELLO, encoding="utf-8")
    settings = root / "settings.toml"
    settings.write_text(settings.read_text("utf-8") + STANZA, encoding="utf-8")
    files = tmp_path / "files"
    files.mkdir()
    greeter, first = key_stanza("aaaa1111", "greeter", scopes='["greet"]')
    reader, second = key_stanza("bbbb2222", "reader")
    with Service(files, root=root, local=first + second) as service:
        with service.client(key=reader) as client:
            assert client.post("/hello").json()["code"] == "scope_missing"
        with service.client(key=greeter) as client:
            assert client.post("/hello").json() == {"hello": "world"}
            assert client.post("/hello", content=b"123456").json()["code"] == "body_too_large"
            began = time.monotonic()
            assert client.post("/hello", content=b"12345").json()["code"] == "deadline_exceeded"
            assert time.monotonic() - began < 60
            assert client.post("/hello").json()["code"] == "rate_limited"
            assert client.post("/ocr").json()["code"] == "scope_missing"
