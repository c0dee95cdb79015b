"""What tests with hostile files share: sending one, judging its answer, watching the service."""

import json
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.corpus.entry import MARK, Entry
from tests.model.processes import children_of
from tests.system.service import Service, key_stanza
from tests.system.test_errors import problem

_QUOTE = 16  # bytes of an upload that no refusal repeats; no word of ours is in a file by chance
_GROWTH_MB = 60
_SETTLING_S = 20  # for what a closed connection or a collected garbage still holds
# One engine that is never replaced: whoever starts or ends is found by its id.
_LOCAL = (
    "[limits]\nper_address = '1000000/minute'\n"
    "[engine]\nprocesses = 1\nmax_readings = 0\nidle_s = 0\n"
)


def settings() -> tuple[str, str]:
    """Return a key without limits, and the settings with its entry."""
    often = "1000000/minute"
    key, stanza = key_stanza(
        "hostile1", "hostile", f'limits = {{ "*" = "{often}", "/ocr" = "{often}" }}'
    )
    return key, _LOCAL + stanza


def request_of(entry: Entry, data: bytes) -> Mapping[str, Any]:
    """Return what a client's `request` is to be given."""
    url = "/ocr" + entry.query
    if entry.file_name:
        return {"method": "POST", "url": url, "files": {"image": (entry.file_name, data)}}
    kind = {"content-type": entry.media_type}
    return {"method": "POST", "url": url, "content": data, "headers": kind}


def judge(answer: httpx2.Response, data: bytes, statuses: Collection[int]) -> None:
    """Check an answer's status and form, and that it repeats nothing of the upload."""
    if answer.status_code == 200:
        assert "text" in answer.json(), "an answer without text"
    else:
        _, code = problem(answer)
        assert code, "a problem without code"
        told = answer.content
        quotes = (told[start : start + _QUOTE] for start in range(len(told) - _QUOTE + 1))
        assert not any(quote in data for quote in quotes), "the answer quotes the upload"
    assert answer.status_code in statuses, f"{answer.status_code} {answer.text[:300]}"
    heads = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
    assert MARK not in answer.content + heads, "the answer quotes the upload"


class Watch:
    """What a service's processes are and hold, to be compared with later."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = Path(f"/proc/{service.process.pid}")
        self.descriptors = self._descriptors()
        self.resident_mb = self._resident_mb()
        self.renew()

    def renew(self) -> None:
        """Take the processes that run now for the right ones; what may be held stays the same."""
        self.children = children_of(self._service.process.pid)
        self._lines = len(self._service.log)

    def check(self, settling_s: float = _SETTLING_S) -> None:
        """Check that no process ended, nothing is held for good and nothing was logged."""
        assert self._service.process.poll() is None, "the service ended"
        self.check_processes()
        ended = [event for event in self.ended() if event["process"] != "decoder"]
        assert not ended, f"a process ended: {ended}"
        due = time.monotonic() + settling_s
        _settle(self._descriptors, self.descriptors, due, "descriptors")
        _settle(self._resident_mb, self.resident_mb + _GROWTH_MB, due, "MB")
        assert not any(MARK.decode() in line for line in self._service.log), "the log quotes"

    def check_processes(self) -> None:
        """Check that the zygote and the engine are those of the beginning."""
        now = children_of(self._service.process.pid)
        assert now == self.children, f"other processes: {self.children} became {now}"

    def ended(self) -> list[dict[str, str]]:
        """Return what the log says of processes that ended since."""
        lines = self._service.log[self._lines :]
        return [json.loads(line) for line in lines if '"process_ended"' in line]

    def _descriptors(self) -> float:
        return len(list((self._folder / "fd").iterdir()))

    def _resident_mb(self) -> float:
        status = (self._folder / "status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _settle(held: Callable[[], float], most: float, due: float, of_what: str) -> None:
    """Wait until no more than `most` is held."""
    while held() > most:
        assert time.monotonic() < due, f"{held():.0f} {of_what} held, at most {most:.0f} right"
        time.sleep(0.05)
