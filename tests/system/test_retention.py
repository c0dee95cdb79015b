"""Nothing a caller sends is kept: no file, no line of the log, whatever happens to a request."""

import base64
import io
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image, PngImagePlugin

from middleware.key_format import new_key
from tests.system.conftest import draw
from tests.system.processes import decoders_of, may_look, reading_engines
from tests.system.service import Service, copy_project, key_stanza
from tests.system.traces import leavings, recorded, tracer

pytestmark = [
    pytest.mark.skipif(not may_look(), reason="it takes CAP_SYS_PTRACE to trace locked processes"),
    pytest.mark.timeout(300),
]

ALPHABET = "ACEHKLPRTUY"  # none is mistaken for another (as F for E), upside down either
FAULTY = '''"""A function that does all that must not be done with an upload."""

import os
import socket
from pathlib import Path

from starlette.responses import JSONResponse


async def keep(request):
    """Spool an upload as Starlette does by itself, keep it, log its name, and call home."""
    upload = (await request.form())["image"]
    Path(os.environ["HOME"], "kept").write_bytes(await upload.read())
    print("got", upload.filename, flush=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.connect(("127.0.0.1", 9))
    return JSONResponse({})
'''
DROP_IN = '[[functions]]\npath = "/api/ocr"\nenabled = true\nlimits = []\n'
FUNCTION = '[[functions]]\npath = "/keep"\nhandler = "faulty:keep"\nscope = "ocr"\n'


def letters(count: int) -> str:
    """Return letters that occur nowhere else."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


@dataclass
class Canaries:
    """What the callers send, to be looked for afterwards."""

    text: str = field(default_factory=lambda: letters(10))
    name: str = field(default_factory=lambda: letters(16))
    comment: str = field(default_factory=lambda: letters(16))
    pixels: bytes = field(default_factory=lambda: os.urandom(48))
    trailer: bytes = field(default_factory=lambda: os.urandom(48))
    others: list[str] = field(default_factory=list)  # secrets of keys, base64

    def page(self, *lines: str) -> bytes:
        """Return an image that holds them in its text, comment, pixels, and after its end."""
        page = Image.open(io.BytesIO(draw(self.text, *lines)))
        return self._png(page.size, page.tobytes())

    def noise(self) -> bytes:
        """Return such an image, without a text, that has several megabytes."""
        return self._png((1000, 1000), os.urandom(3_000_000))

    def upload(self, image: bytes) -> dict[str, tuple[str, bytes, str]]:
        """Return an image as a client's form names it."""
        return {"image": (f"{self.name}.png", image, "image/png")}

    def _png(self, size: tuple[int, int], pixels: bytes) -> bytes:
        comment = PngImagePlugin.PngInfo()
        comment.add_text("Comment", self.comment)
        marked = self.pixels + pixels[len(self.pixels) :]
        stream = io.BytesIO()
        Image.frombytes("RGB", size, marked).save(stream, "PNG", pnginfo=comment)
        return stream.getvalue() + self.trailer

    def found_in(self, data: bytes) -> list[bytes]:
        """Return which of them occur, in whatever case."""
        texts = (self.text, self.name, self.comment, *self.others)
        sought = [*(text.encode() for text in texts), self.pixels, self.trailer]
        data = data.lower()
        return [each for each in sought if each.lower() in data]


class Traced:
    """A service under strace, in a copy of the project, with its own folders.

    It has served before, so that what a first start makes is there.
    """

    def __init__(self, folder: Path, functions: str = "", **options: Any) -> None:
        limits = 'limits = { "*" = "6000/minute", "/ocr" = "6000/minute" }'
        self.key, stanza = key_stanza("aaaa1111", "someone", limits)
        self.record = folder / "record"
        self.record.mkdir()
        self.places = serving, temporary, project = [
            folder / name for name in ("serving", "temporary", "project")
        ]
        serving.mkdir()
        temporary.mkdir()
        options |= {
            "root": copy_project(project),
            "local": functions + stanza,
            "environment": {"TMPDIR": str(temporary)},
        }
        # As scripts/install leaves it: modules that are imported late are compiled already.
        precompile = options["root"] / "scripts" / "precompile.py"
        subprocess.run([sys.executable, precompile], cwd=options["root"], env={}, check=True)
        with Service(serving, **options) as first, first.client(key=self.key) as client:
            assert client.post("/ocr", files={"image": draw("FIRST")}).status_code == 200
        self.service = Service(serving, launcher=tracer(self.record), **options)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file there is, and the log."""
        for place in self.places:
            for file in place.rglob("*"):
                if file.is_file():
                    yield str(file), file.read_bytes()
        yield "the log", "\n".join(self.service.log).encode()

    def found(self, canaries: Canaries) -> list[tuple[str, bytes]]:
        """Return which canaries are where."""
        return [(name, canary) for name, data in self.files() for canary in canaries.found_in(data)]


def ordinary(client: httpx2.Client, canaries: Canaries) -> None:
    """Send what callers send, in every way."""
    page = canaries.page()
    read = client.post("/ocr", files=canaries.upload(page))
    assert canaries.text in read.json()["text"].upper().replace(" ", "")
    lines = {"accept": "application/x-ndjson"}
    assert client.post("/ocr", files=canaries.upload(page), headers=lines).status_code == 200
    encoded = base64.b64encode(page).decode()
    canaries.others.append(encoded[-60:-4])
    assert client.post("/ocr", json={"image": encoded}).status_code == 200
    large = canaries.upload(canaries.noise())
    assert client.post("/ocr?detect=false", files=large).status_code == 200
    in_formats(client, canaries, page, encoded)
    document = io.BytesIO()
    one, two = (Image.open(io.BytesIO(canaries.page(number))) for number in ("ONE", "TWO"))
    one.save(document, "PDF", save_all=True, append_images=[two], title=canaries.comment)
    answer = client.post("/ocr", files=canaries.upload(document.getvalue()))
    assert len(answer.json()["pages"]) == 2
    broken = canaries.upload(canaries.noise()[:-1_000_000])
    assert client.post("/ocr", files=broken).status_code == 422


def in_formats(client: httpx2.Client, canaries: Canaries, page: bytes, encoded: str) -> None:
    """Ask for what holds the page's pixels or places, and in place of another service."""
    for query in ("format=pdf", "format=png", "format=hocr", "page_image=jpeg&words=char"):
        assert client.post(f"/ocr?{query}", files=canaries.upload(page)).status_code == 200
    drop_in = client.post("/api/ocr", json={"base64": encoded, canaries.name: canaries.comment})
    assert drop_in.json()["code"] == 100
    trace = {"traceparent": canaries.name, "sec-fetch-site": canaries.comment}
    assert client.get(f"/{canaries.name}?{canaries.name}", headers=trace).status_code == 404


def refused(service: Service, key: str, canaries: Canaries) -> None:
    """Send a wrong key, and a valid key over plain HTTP."""
    wrong = new_key("aaaa1111")
    canaries.others += [token.split("_")[2] for token in (wrong, key)]
    files = canaries.upload(canaries.page())
    with service.client(key=wrong) as client:
        assert client.post("/ocr", files=files).status_code == 401
    plain = httpx2.post(f"{service.plain_url}/ocr", files=files, headers={"X-API-Key": key})
    assert plain.status_code == 403


def leaving(service: Service, key: str, canaries: Canaries) -> None:
    """Leave in the middle of an upload, and in the middle of a reading."""
    body = canaries.noise()

    def half() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError

    headers = {"content-type": "image/png", "content-length": str(len(body))}
    with service.client(key=key) as client, pytest.raises(ConnectionAbortedError):
        client.post("/ocr", content=half(), headers=headers)
    long = canaries.upload(canaries.page(*["A LONG PAGE OF TEXT"] * 150))
    with service.client(key=key) as client, pytest.raises(httpx2.TimeoutException):
        client.post("/ocr", files=long, timeout=httpx2.Timeout(60, read=0.1))


def meanwhile(
    client: httpx2.Client, files: Any, seen: Callable[[], set[int]], act: Callable[[int], object]
) -> httpx2.Response:
    """Send files, act on the first processes that are seen at work on them; return the answer."""
    while seen():  # at work on what somebody left behind
        time.sleep(0.01)
    answers: list[httpx2.Response] = []
    sending = threading.Thread(target=lambda: answers.append(client.post("/ocr", files=files)))
    sending.start()
    found: set[int] = set()
    while sending.is_alive() and not found:
        found = seen()
        time.sleep(0.001)
    for pid in found:
        act(pid)
    sending.join(60)
    return answers[0]


def deaths(service: Service, client: httpx2.Client, canaries: Canaries) -> None:
    """Kill a decoder and an engine while each is at work."""

    def kill(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    noise = canaries.upload(canaries.noise())
    assert meanwhile(client, noise, lambda: decoders_of(service), kill).status_code in {422, 503}
    long = canaries.upload(canaries.page(*["A LONG PAGE OF TEXT"] * 150))
    assert meanwhile(client, long, lambda: reading_engines(service), kill).status_code == 503
    assert client.post("/ocr", files=canaries.upload(canaries.page())).status_code == 200


def test_nothing_of_a_request_is_stored(tmp_path: Path) -> None:
    """No file is written, no canary is anywhere: not after uploads, deaths, departures, a stop."""
    canaries = Canaries()
    traced = Traced(tmp_path, DROP_IN)
    with traced.service as service, service.client(key=traced.key) as client:
        ordinary(client, canaries)
        refused(service, traced.key, canaries)
        leaving(service, traced.key, canaries)
        deaths(service, client, canaries)
        last = canaries.upload(canaries.page(*["A LONG PAGE OF TEXT"] * 20))
        stop = meanwhile(client, last, lambda: reading_engines(service), lambda _: service.stop())
        assert stop.status_code == 200
    assert service.process.returncode == 0
    assert leavings(traced.record) == []
    assert traced.found(canaries) == []
    # The record is whole: it has the decoders' and the engines' work, and the log's lines.
    written = [call.arguments for call in recorded(traced.record) if "write" in call.name]
    for place, least in (("/memfd:pixels>", 10), ("/memfd:reading>", 8), ("pipe:[", 12)):
        assert sum(place in arguments for arguments in written) >= least


def test_stored_content_is_detected(tmp_path: Path) -> None:
    """Negative control: a function that spools, keeps, logs and calls home fails every check."""
    canaries = Canaries()
    traced = Traced(tmp_path, FUNCTION, modules={"faulty.py": FAULTY})
    with traced.service as service, service.client(key=traced.key) as client:
        files = canaries.upload(canaries.noise())
        assert client.post("/keep", files=files).status_code == 200
    serving, temporary, _ = traced.places
    left = leavings(traced.record)
    assert any(call.startswith("openat(") and str(temporary) in call for call in left)
    assert any(call.startswith("openat(") and f"{serving}/kept" in call for call in left)
    assert any(call.startswith("connect(") for call in left)
    found = traced.found(canaries)
    assert ("the log", canaries.name.encode()) in found
    assert (f"{serving}/kept", canaries.trailer) in found
