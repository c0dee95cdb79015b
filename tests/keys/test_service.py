"""Keys over the real stack: networks, functions, rotation, revocation, and wrong keys."""

import json
import re
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx2
import pytest

from middleware.key_format import new_key
from settings import load_settings
from tests.keys.invoke import invoke
from tests.system.service import ROOT, Service, key_stanza

OFTEN = 'limits = { "*" = "9999/minute", "/ocr" = "9999/minute", "/metrics" = "9999/minute" }'
ADMIN, STANZA = key_stanza("aaaa1111", "admin", OFTEN, '["ocr", "metrics"]')
LOCAL = f"""
[proxy]
trusted = ["127.0.0.0/8"]

[limits]
per_address = "12/minute"
failed_authentications = "3/minute"

{STANZA}
"""
ACCEPTED = 415  # of a request without a body
NOT_AN_IMAGE = b"not an image"
addresses = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service behind a proxy, which is the test; with the shipped reload_poll_s."""
    with Service(tmp_path_factory.mktemp("service"), local=LOCAL) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx2.Client]:
    """One HTTP/2 connection."""
    with service.client(key=None) as connected:
        yield connected


def somewhere() -> str:
    """Return an address in 198.51.0.0/16 that no request has come from."""
    number = next(addresses)
    return f"198.51.{number // 250}.{number % 250 + 1}"


def headers(key: str, address: str | None = None) -> dict[str, str]:
    """Return the headers of a request, as the proxy sends them."""
    return {"x-api-key": key, "forwarded": f"for={address or somewhere()}"}


def status(client: httpx2.Client, key: str, address: str | None = None) -> int:
    """Return the status of a request without a body."""
    return client.post("/ocr", headers=headers(key, address)).status_code


def keys(service: Service, *arguments: object) -> str:
    """Run scripts/keys, wait until the service has loaded the change, and return the key."""
    seen = len(service.log)
    out, err, ended = invoke(service.settings, *arguments)
    assert ended == 0, err
    service.logged("settings_loaded", after=seen)
    return out.strip()


def entry(service: Service, answer: httpx2.Response) -> dict[str, object]:
    """Return the log line of a response."""
    line: dict[str, object] = json.loads(service.logged(answer.headers["x-request-id"]))
    return line


def test_wrong_keys_lock_nobody_out(client: httpx2.Client) -> None:
    """Not the valid keys behind the same address, nor the owner of the id that was guessed."""
    here, options, elsewhere = "203.0.113.1", "203.0.113.2", "203.0.113.3"
    guesses = [status(client, new_key("aaaa1111"), here) for _ in range(30)]
    assert guesses == [401] * 3 + [429] * 27
    valid = [status(client, ADMIN, here) for _ in range(13)]
    assert valid == [ACCEPTED] * 12 + [429]  # control: valid keys do count, and only they
    assert status(client, ADMIN, elsewhere) == ACCEPTED
    asked = [
        client.options("/ocr", headers={"forwarded": f"for={options}"}).status_code
        for _ in range(13)
    ]
    assert asked == [204] * 12 + [429]
    assert status(client, ADMIN, options) == ACCEPTED


def test_a_key_is_bound_to_networks_and_functions(service: Service, client: httpx2.Client) -> None:
    """The client's address counts, not the proxy's; the reason is in the log alone."""
    key = keys(service, "new", "bound", "--network", "198.51.0.0/16", "--function", "/ocr",
               "--scope", "ocr", "--scope", "metrics")  # fmt: skip
    assert status(client, key) == ACCEPTED
    outside = client.post("/ocr", headers=headers(key, "203.0.113.9"))
    unknown = client.post("/ocr", headers=headers(new_key("zzzz1111"), "203.0.113.9"))
    assert outside.status_code == unknown.status_code == 401
    assert {**outside.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    assert entry(service, outside)["reason"] == "address outside the key's networks"
    refused = client.get("/metrics", headers=headers(key))
    assert (refused.status_code, refused.json()["code"]) == (403, "function_not_allowed")
    assert "/metrics" in refused.json()["detail"]
    assert client.get("/metrics", headers=headers(ADMIN)).status_code == 200  # control


def test_a_rotated_key_and_who_still_uses_the_old_one(
    service: Service, client: httpx2.Client
) -> None:
    """Both are one caller; the log and the metrics tell them apart, until the old one ends."""
    old = keys(service, "new", "rotated")
    new = keys(service, "rotate", "rotated", "--overlap", "1h")
    answers = [client.post("/ocr", headers=headers(key)) for key in (old, new)]
    assert [answer.status_code for answer in answers] == [ACCEPTED, ACCEPTED]
    lines = [entry(service, answer) for answer in answers]
    assert [line.get("previous_key") for line in lines] == [True, None]
    assert lines[0]["key_id"] == lines[1]["key_id"]
    left = [int(re.findall(r'"key";r=(\d+)', each.headers["ratelimit"])[0]) for each in answers]
    assert left[0] - left[1] == 1  # they are counted together
    metrics = client.get("/metrics", headers=headers(ADMIN)).text
    assert 'sealed_ocr_previous_key_requests_total{key="rotated"} 1.0' in metrics
    keys(service, "revoke", "rotated", "--previous")
    assert [status(client, key) for key in (old, new)] == [401, ACCEPTED]


def upload(service: Service, key: str, proceed: threading.Event, codes: list[str]) -> None:
    """Send a body of which the end waits for `proceed`; append the code of the response."""

    def body() -> Iterator[bytes]:
        yield NOT_AN_IMAGE
        proceed.wait(60)
        yield NOT_AN_IMAGE

    sent = {**headers(key), "content-type": "image/png"}
    with service.client(key=None) as client:
        codes.append(client.post("/ocr", headers=sent, content=body()).json()["code"])


def wait_for_slots(client: httpx2.Client, number: int) -> None:
    """Wait until this many requests are under way."""
    due = time.monotonic() + 60
    while (
        f"\nsealed_ocr_slots_used {number}.0"
        not in client.get("/metrics", headers=headers(ADMIN)).text
    ):
        assert time.monotonic() < due
        time.sleep(0.01)


def test_a_revocation_works_within_a_second_and_drops_nothing(
    service: Service, client: httpx2.Client
) -> None:
    """On the open connection: new requests are refused, those under way finish, others go on."""
    key = keys(service, "new", "revoked")
    proceed, codes = threading.Event(), list[str]()
    uploads = [
        threading.Thread(target=upload, args=(service, each, proceed, codes))
        for each in (key, ADMIN)
    ]
    for thread in uploads:
        thread.start()
    try:
        wait_for_slots(client, 2)
        assert status(client, key) == ACCEPTED
        keys(service, "revoke", "revoked")
        assert status(client, key) == 401
        assert status(client, ADMIN) == ACCEPTED
        assert codes == []
    finally:
        proceed.set()
        for thread in uploads:
            thread.join()
    assert codes == ["unsupported_image_type"] * 2
    assert time_to_refusal(service, client) < 1


def time_to_refusal(service: Service, client: httpx2.Client) -> float:
    """Return the seconds from a command's end until its old key is refused; of five, the least.

    With a second between two polls, none would be below one: a change is loaded with the second.
    """
    found = []
    key = keys(service, "new", "timed")
    for _ in range(5):
        token, _, _ = invoke(service.settings, "rotate", "timed", "--overlap", "0")
        began = time.monotonic()
        while status(client, key) != 401:
            time.sleep(0.005)
        found.append(time.monotonic() - began)
        key = token.strip()
        if found[-1] < 1:
            break
    return min(found)


def test_two_polls_take_half_a_second() -> None:
    """As shipped: a file is loaded once two polls have found it the same."""
    assert 2 * load_settings(ROOT / "settings.toml", {}).tls.reload_poll_s <= 0.5


def test_all_the_other_lines_are_as_before(service: Service) -> None:
    """The file that was changed a dozen times still begins as it did."""
    text = Path(service.directory / "settings.local.toml").read_text("utf-8")
    assert text.startswith(LOCAL.rstrip())
