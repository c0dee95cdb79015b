"""Pages of other origins in Chromium: the one that is listed can use the service, no other can."""

from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Error

from tests.web.conftest import WebService
from tests.web.documents import Documents

READ = """async ([origin, key, image]) => {
  const response = await fetch(`${origin}/ocr`, {
    method: "POST", headers: {"X-API-Key": key, "Content-Type": "image/png"},
    body: Uint8Array.from(atob(image), (character) => character.charCodeAt(0)),
  });
  const found = await response.json();
  return [response.status, found.text ?? found.code, found.request_id,
          response.headers.get("X-Request-Id"), response.headers.get("RateLimit") !== null];
}"""


class EmptyPage(BaseHTTPRequestHandler):
    """Serves one empty page."""

    def do_GET(self) -> None:
        """Send it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href='data:,'>")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def origins(web_service: WebService) -> Iterator[tuple[str, str]]:
    """Two origins that serve a page; the settings list the first."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) for _ in range(2)]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    listed, other = [f"http://127.0.0.1:{server.server_port}" for server in servers]
    file = web_service.directory / "settings.local.toml"
    before = file.read_text("utf-8")
    _rewrite(web_service, file, f'{before}\n[cors]\norigins = ["{listed}"]\n')
    yield listed, other
    _rewrite(web_service, file, before)
    for server in servers:
        server.shutdown()
        server.server_close()


def _rewrite(service: WebService, file: Path, text: str) -> None:
    seen = len(service.log)
    file.with_suffix(".next").write_text(text, encoding="utf-8")
    file.with_suffix(".next").replace(file)
    service.logged("settings_loaded", after=seen)


def test_a_listed_page_reads_an_image(
    chromium: Browser, web_service: WebService, origins: tuple[str, str], documents: Documents
) -> None:
    """It gets the text and the headers, and of an error the code; another page gets nothing."""
    listed, other = origins
    image = b64encode(documents.receipt.read_bytes()).decode()
    with chromium.new_page() as page:
        page.goto(listed)
        read = page.evaluate(READ, [web_service.url, web_service.reader, image])
        assert (read[0], "FLAT WHITE x2" in read[1], read[4]) == (200, True, True)
        refused = page.evaluate(READ, [web_service.url, "wrong", image])
        assert refused[:2] == [401, "not_authenticated"]
        for answer in (read, refused):
            assert answer[2] == answer[3]
        page.goto(other)
        with pytest.raises(Error, match="Failed to fetch"):
            page.evaluate(READ, [web_service.url, web_service.reader, image])
