"""One real reading after another, over HTTP/2 and TLS, as callers send them."""

import base64
import json
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.system.service import ROOT, Service
from tls.development import ensure_development_certificate

RECEIPT = ROOT / "examples" / "receipt.png"
Draw = Callable[..., bytes]


def squeezed(text: str) -> str:
    """Return `text` without white space, in lower case."""
    return "".join(text.casefold().split())


def test_reads_the_receipt_over_http2(service: Service) -> None:
    """The example receipt comes back as text, lines and polygons, over h2 with TLS verified."""
    with service.client() as client:
        answer = client.post("/ocr", files={"image": RECEIPT.read_bytes()})
    assert answer.status_code == 200, answer.text
    assert answer.http_version == "HTTP/2"
    document = answer.json()
    assert set(document) == {
        "text", "lines", "blocks", "width", "height", "rotation", "skew", "warnings", "request_id",
        "model", "timing_ms",
    }  # fmt: skip
    assert "18.95" in squeezed(document["text"])
    lines, blocks = document["lines"], document["blocks"]
    assert document["text"] == "\n\n".join(
        "\n".join(lines[index]["text"] for index in block["lines"]) for block in blocks
    )
    assert [index for block in blocks for index in block["lines"]] == list(range(len(lines)))
    assert (document["width"], document["height"], document["rotation"]) == (640, 860, 0)
    assert -5 < document["skew"] < 5
    assert document["request_id"] == answer.headers["x-request-id"]
    for line in document["lines"]:
        assert 0 <= line["confidence"] <= 1
        assert len(line["polygon"]) == 4


def test_every_response_has_the_headers(service: Service) -> None:
    """HSTS, nosniff, no-store and the limits' state are there; a Server header is not."""
    with service.client() as client:
        answer = client.post("/ocr", files={"image": RECEIPT.read_bytes()})
    assert answer.headers["strict-transport-security"] == "max-age=60"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert '"function";q=6000;w=60' in answer.headers["ratelimit-policy"]
    assert '"key";r=' in answer.headers["ratelimit"]
    assert "server" not in answer.headers


def test_http1_is_served_too(service: Service, draw: Draw) -> None:
    """A client without HTTP/2 gets the same answer."""
    with service.client(http2=False) as client:
        answer = client.post("/ocr", files={"file": draw("HELLO 2468")})
    assert answer.http_version == "HTTP/1.1"
    assert "hello2468" in squeezed(answer.json()["text"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_raw_bodies_of_every_type(service: Service, draw: Draw, kind: str) -> None:
    """A raw body is read; its content, not its name, decides the type."""
    with service.client() as client:
        answer = client.post(
            "/ocr", content=draw("AMOUNT 7531", kind=kind), headers={"content-type": "image/x"}
        )
    assert "amount7531" in squeezed(answer.json()["text"])


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_json_bodies(service: Service, draw: Draw, prefix: str) -> None:
    """Base64 in JSON is read, with and without a data: prefix."""
    body = {"image": prefix + base64.b64encode(draw("BASE 64 OK")).decode()}
    with service.client() as client:
        answer = client.post("/ocr", json=body)
    assert "base64ok" in squeezed(answer.json()["text"])


def test_several_images_are_answered_in_order(service: Service, draw: Draw) -> None:
    """Parts named image and file are read each by itself."""
    parts = [("image", draw("FIRST 111")), ("file", draw("SECOND 222"))]
    with service.client() as client:
        answer = client.post("/ocr", files=parts)
    first, second = answer.json()["images"]
    assert "first111" in squeezed(first["text"])
    assert "second222" in squeezed(second["text"])


def test_plain_text_by_accept(service: Service, draw: Draw) -> None:
    """Accept: text/plain gives the text alone."""
    with service.client() as client:
        answer = client.post(
            "/ocr", files={"image": draw("ONE 1", "TWO 2")}, headers={"accept": "text/plain"}
        )
    assert answer.headers["content-type"].startswith("text/plain")
    assert [squeezed(line) for line in answer.text.split("\n")] == ["one1", "two2"]


def test_detect_false_reads_one_line(service: Service, draw: Draw) -> None:
    """?detect=false takes the whole image as a line."""
    with service.client() as client:
        answer = client.post("/ocr?detect=false", files={"image": draw("SINGLE 42")})
    document = answer.json()
    assert len(document["lines"]) == 1
    assert "single42" in squeezed(document["text"])


def test_nothing_to_read(service: Service, draw: Draw) -> None:
    """A blank page has no lines and empty text."""
    with service.client() as client:
        document = client.post("/ocr", files={"image": draw()}).json()
    assert document["text"] == ""
    assert document["lines"] == []


def test_curl_reads_it(service: Service) -> None:
    """The command that the README shows works, with a real curl."""
    done = subprocess.run(
        [
            "curl", "-sS", "--http2", "--cacert", service.authority,
            "-H", f"Authorization: Bearer {service.key}", "-F", f"image=@{RECEIPT}",
            "-w", "\n%{http_version} %{http_code}", f"{service.url}/ocr",
        ],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    body, _, outcome = done.stdout.rpartition("\n")
    assert outcome == "2 200"
    assert "18.95" in squeezed(json.loads(body)["text"])


def test_verification_is_real(service: Service) -> None:
    """A client that trusts only the system's CAs, or expects another name, refuses."""
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx2.get(f"{service.url}/healthz", verify=ssl.create_default_context())
    with (
        socket.create_connection(("127.0.0.1", service.ports["https"])) as raw,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        service.trust().wrap_socket(raw, server_hostname="ocr.example.org")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(service: Service) -> None:
    """TLS 1.1 gets no handshake; 1.2 and 1.3 do, with forward secrecy and AEAD."""
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = service.trust()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = version
        with socket.create_connection(("127.0.0.1", service.ports["https"])) as raw:
            if version is ssl.TLSVersion.TLSv1_1:
                with pytest.raises(ssl.SSLError):
                    context.wrap_socket(raw, server_hostname="localhost")
                continue
            with context.wrap_socket(raw, server_hostname="localhost") as sealed:
                cipher = (sealed.cipher() or ("",))[0]
                assert any(mode in cipher for mode in ("GCM", "CHACHA20"))


def test_health_needs_no_key(service: Service) -> None:
    """/healthz and /readyz answer anyone; /readyz names what it checked."""
    with service.client(key=None) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json()["checks"] == {
            "accepting": "ok",
            "weights": "ok",
            "engine": "ok",
            "settings": "ok",
            "limit_storage": "ok",
            "certificate": "ok",
        }


def test_the_web_process_holds_no_parser(service: Service, draw: Draw) -> None:
    """After readings, neither numpy nor Pillow, OpenCV or ONNX Runtime is in the web process."""
    with service.client() as client:
        client.post("/ocr", files={"image": draw("ANY")})
    mapped = Path(f"/proc/{service.process.pid}/maps").read_text()
    assert "_ssl" in mapped
    for library in ("numpy", "PIL", "cv2", "onnxruntime", "pypdfium2_raw"):
        assert f"/{library}/" not in mapped


def test_the_log_names_the_request_and_nothing_of_its_content(service: Service, draw: Draw) -> None:
    """Each answer has its line of JSON: no text, no file name, no key."""
    with service.client() as client:
        answer = client.post(
            "/ocr", files={"image": ("canaryname.png", draw("CANARY 987"), "image/png")}
        )
    entry = json.loads(service.logged(answer.headers["x-request-id"]))
    assert entry["key"] == "development"
    assert (entry["function"], entry["status"], entry["pages"]) == ("/ocr", 200, 1)
    assert entry["lines"] == len(answer.json()["lines"])
    whole = "\n".join(service.log).casefold()
    assert "canary" not in whole
    assert service.key.split("_")[2].casefold() not in whole


def test_a_changed_certificate_is_served_and_logged(start: Callable[..., Service]) -> None:
    """New files are reloaded without a restart and logged; a broken pair fails /readyz."""
    with start(local="[tls]\nreload_poll_s = 0.1\n") as service:
        with service.client() as client:
            assert client.get("/readyz").status_code == 200
            ensure_development_certificate(service.directory / "tls", ["ocr.lan"])
            assert "ocr.lan" in service.logged("certificate_loaded")
            (service.directory / "tls" / "certificate.key").write_text("broken")
            assert service.logged("certificate_not_loaded")
            assert client.get("/readyz").json()["detail"] == "Failed checks: certificate."
        with service.client() as client:
            assert client.get("/healthz").status_code == 200
