"""What bad requests are answered, over the wire."""

import contextlib
import io
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from PIL import Image

from tests.system.service import Service, key_stanza

Draw = Callable[..., bytes]


def problem(answer: httpx2.Response) -> tuple[int, str]:
    """Return status and code of a problem document, checked for form."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document.pop("image", 1) >= 1  # which file it is about, if it is about one
    assert document.pop("pages_read", 0) == 0  # of a 504; here none has a page
    if document["code"] in {"too_many_pages", "no_such_page"}:
        assert document.pop("document_pages") >= 1
        assert document.pop("max_pages", 1) >= 1
    assert set(document) == {"type", "title", "status", "detail", "code", "request_id"}
    assert document["status"] == answer.status_code
    assert document["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, document["code"]


def test_wrong_keys_look_the_same(service: Service) -> None:
    """No key, a mistyped, an unknown and a well-formed wrong one get one and the same 401."""
    other, _ = key_stanza("development", "x")
    mistyped = service.key[:-1] + ("y" if service.key.endswith("x") else "x")
    answers = []
    for key in (None, "nonsense", mistyped, key_stanza("abcd1234", "x")[0], other):
        with service.client(key=key) as client:
            answer = client.post("/ocr", content=b"x", headers={"content-type": "image/png"})
            assert problem(answer) == (401, "not_authenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            answers.append({**answer.json(), "request_id": ""})
    assert all(answer == answers[0] for answer in answers)


def test_a_key_in_the_url_is_ignored(service: Service) -> None:
    """A query string is logged by proxies and browsers, so a key in it does not count."""
    with service.client(key=None) as client:
        answer = client.post(f"/ocr?key={service.key}", content=b"x")
        assert problem(answer) == (401, "not_authenticated")


def test_unknown_paths_and_methods(service: Service) -> None:
    """404 and 405 are problems too, and 405 names what is allowed."""
    with service.client() as client:
        assert problem(client.get("/nothing/<script>")) == (404, "not_found")
        # Not even a slash too many is redirected: it would go where the Host header says.
        assert problem(client.get("/healthz/", headers={"host": "evil"})) == (404, "not_found")
        answer = client.get("/ocr")
        assert problem(answer) == (405, "method_not_allowed")
        assert sorted(answer.headers["allow"].split(", ")) == ["OPTIONS", "POST"]


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"x", "text/html", (415, "unsupported_body")),
        (b"GIF", "image/png", (415, "unsupported_image_type")),
        ("\u6587\u5b57".encode("gb18030") * 9, "image/png", (415, "unsupported_image_type")),
        ("\u6587\u5b57".encode("utf-16") * 9, "image/png", (415, "unsupported_image_type")),
        (b"", "image/png", (400, "malformed_body")),
        (b"{", "application/json", (400, "malformed_body")),
        (b'{"image": "***"}', "application/json", (400, "malformed_body")),
        (b"--x", "multipart/form-data", (400, "malformed_body")),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", (400, "malformed_body")),
    ],
)
def test_bad_bodies(service: Service, content: bytes, kind: str, expected: tuple[int, str]) -> None:
    """Each way of being wrong has its status and code."""
    with service.client() as client:
        answer = client.post("/ocr", content=content, headers={"content-type": kind})
    assert problem(answer) == expected


def test_broken_and_giant_images(service: Service, draw: Draw) -> None:
    """A truncated image is 422; one with too many pixels is 413 and names both numbers."""
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    with service.client() as client:
        whole = draw("TRUNCATED")
        answer = client.post("/ocr", files={"image": whole[: len(whole) // 2]})
        assert problem(answer) == (422, "unreadable_image")
        answer = client.post("/ocr", files={"image": stream.getvalue()})
        assert problem(answer) == (413, "too_many_pixels")
        assert "400000000" in answer.json()["detail"]
        assert "50000000" in answer.json()["detail"]


@pytest.mark.parametrize("http2", [True, False])
@pytest.mark.parametrize("told", [True, False])
def test_large_bodies(service: Service, *, http2: bool, told: bool) -> None:
    """A body over the limit is 413, with and without Content-Length; the client receives it."""

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(65_536)

    content = bytes(6_553_600) if told else chunks()
    with service.client(http2=http2) as client:
        answer = client.post("/ocr", content=content, headers={"content-type": "image/png"})
    assert problem(answer) == (413, "body_too_large")
    assert "5000000" in answer.json()["detail"]


def test_unknown_parameters(service: Service, draw: Draw) -> None:
    """A misspelled parameter is refused rather than ignored, and not repeated."""
    with service.client() as client:
        answer = client.post("/ocr?detct=false", files={"image": draw("X")})
    assert problem(answer) == (400, "unknown_parameter")
    assert "detct" not in answer.text


def test_errors_are_in_chinese_by_accept_language(service: Service) -> None:
    """Accept-Language: zh-CN gets Chinese words and the same code."""
    with service.client(key=None) as client:
        answer = client.post("/ocr", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert problem(answer) == (401, "not_authenticated")
    assert answer.json()["title"] == "需要身份验证"
    assert answer.headers["content-language"] == "zh"


def test_the_defaults_limit_a_key(start: Callable[..., Service], draw: Draw) -> None:
    """A key without its own limits may read ten times a minute; others are not affected."""
    one, first = key_stanza("aaaa1111", "first")
    two, second = key_stanza("bbbb2222", "second", 'limits = { "*" = "99/minute" }')
    image = draw("OK")
    with start(local=first + second) as service:
        with service.client(key=one) as client:
            for left in reversed(range(10)):
                answer = client.post("/ocr", files={"image": image})
                assert answer.status_code == 200
                assert f'"function";r={left};' in answer.headers["ratelimit"]
            answer = client.post("/ocr", files={"image": image})
            assert problem(answer) == (429, "rate_limited")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        with service.client(key=two) as client:
            answer = client.post("/ocr", files={"image": image})
            assert answer.status_code == 200
            assert '"key";q=99;w=60' in answer.headers["ratelimit-policy"]


def test_scopes_and_times_of_keys(start: Callable[..., Service]) -> None:
    """An expired and a future key are as good as none."""
    old, first = key_stanza("aaaa1111", "old", "expires = 2020-01-01")
    new, second = key_stanza("bbbb2222", "new", "not_before = 2099-01-01")
    with start(local=first + second) as service:
        for key in (old, new):
            with service.client(key=key) as client:
                assert problem(client.post("/ocr")) == (401, "not_authenticated")


def test_a_full_queue_is_a_503_at_once(start: Callable[..., Service], draw: Draw) -> None:
    """When all slots are in use a further request is 503 with Retry-After; the rest are served."""
    image = draw(*["BUSY BUSY BUSY"] * 12)
    with start(local="[engine]\nmax_waiting = 1\n") as service:

        def post(_: int) -> httpx2.Response:
            # One each: an SSL object is not to be read by one thread while another writes to it.
            with service.client() as client:
                return client.post("/ocr", files={"image": image})

        post(0)
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(post, range(12)))
    served = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(served) >= 2
    assert refused
    for answer in refused:
        assert problem(answer) == (503, "busy")
        assert int(answer.headers["retry-after"]) >= 1


def test_deadlines(start: Callable[..., Service], draw: Draw) -> None:
    """A reading that takes too long is 504, and the next one is served."""
    local = (
        '[[functions]]\npath = "/ocr"\nhandler = "handlers.ocr:recognize"\nscope = "ocr"\n'
        "body_timeout_s = 0.3\ntimeout_s = 0.3\n"
    )
    with start(local=local) as service, service.client() as client:
        answer = client.post("/ocr", files={"image": draw(*["DEADLINE"] * 60)})
        assert problem(answer) == (504, "deadline_exceeded")  # the model's loading alone is longer
        assert client.get("/healthz").status_code == 200


def test_slow_bodies(start: Callable[..., Service]) -> None:
    """A body that trickles is 408 once its time is over, not when the client is done."""
    local = (
        '[[functions]]\npath = "/ocr"\nhandler = "handlers.ocr:recognize"\nscope = "ocr"\n'
        "body_timeout_s = 0.5\ntimeout_s = 60\n"
    )

    with start(local=local) as service:
        for version in ("--http2", "--http1.1"):
            # curl looks for an early answer while it sends; httpx does not.
            curl = subprocess.Popen(
                [
                    "curl", "-sS", version, "--cacert", service.authority, "-X", "POST", "-T", "-",
                    "-H", f"X-API-Key: {service.key}", "-H", "Content-Type: image/png",
                    "-w", " %{http_code}", f"{service.url}/ocr",
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            due = time.monotonic() + 30
            with contextlib.suppress(BrokenPipeError):
                while curl.poll() is None and time.monotonic() < due:
                    assert curl.stdin is not None
                    curl.stdin.write(b"x")
                    curl.stdin.flush()
                    time.sleep(0.1)
            with contextlib.suppress(BrokenPipeError):
                said = curl.communicate(timeout=10)[0].decode()
            assert "body_too_slow" in said
            assert said.endswith(" 408")
            assert time.monotonic() < due
