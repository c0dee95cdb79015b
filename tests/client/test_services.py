"""Several services: files are shared between them, and one that does not respond is left out."""

import asyncio
import time
from pathlib import Path

import pytest

from sealed_ocr_client import AsyncClient
from tests.client.conftest import Run
from tests.client.pages import answer
from tests.client.scripted import Answer, Request, Script, ScriptedServer, refusal

FILES = 12
NOBODY = "https://localhost:9"  # discard: nothing listens there


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of scans."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.png").write_bytes(b"\x89PNG")
    return folder


def page(request: Request) -> Answer:
    """Respond as a service does that takes some time."""
    time.sleep(0.01)
    return answer(request, 1)


def options(tmp_path: Path, *servers: ScriptedServer, more: tuple[str, ...] = ()) -> list[str]:
    """Return the options that name these services, and a file with the CA of each."""
    (tmp_path / "all.pem").write_bytes(b"".join(each.ca.read_bytes() for each in servers))
    urls = [*more, *(each.url for each in servers)]
    return ["--ca", str(tmp_path / "all.pem"), *(word for url in urls for word in ("--url", url))]


def two(tmp_path: Path, *scripts: Script) -> list[ScriptedServer]:
    """Return a server for each script, not started yet."""
    folders = [tmp_path / f"server{number}" for number in range(len(scripts))]
    for folder in folders:
        folder.mkdir()
    return [ScriptedServer(*each) for each in zip(folders, scripts, strict=True)]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for all of them."""
    monkeypatch.setenv("SEALED_OCR_KEY", "ocr_key")


def test_files_are_shared(run: Run, tmp_path: Path, files: Path) -> None:
    """Each service reads a part of them; none is read twice."""
    first, second = two(tmp_path, page, page)
    with first, second:
        done = run(files, "--quiet", *options(tmp_path, first, second))
    assert (done.status, done.errors) == (0, f"{FILES} of {FILES} files read.\n")
    counts = [len(first.requests), len(second.requests)]
    assert sum(counts) == FILES
    assert min(counts) >= 2


def test_a_quota_of_the_key_is_not_asked_of_another_service(
    run: Run, tmp_path: Path, files: Path
) -> None:
    """It holds everywhere: the first refusal is the last word, and is shown."""
    first, second = two(tmp_path, *[lambda _: refusal(429, "page_quota_used_up", 40_000)] * 2)
    with first, second:
        done = run(files / "00.png", *options(tmp_path, first, second))
    assert done.status == 1
    assert "(page_quota_used_up)" in done.errors
    assert len(first.requests) + len(second.requests) == 1


@pytest.mark.parametrize("failure", [Answer(ending="drop"), refusal(503, "busy", 1000)])
def test_a_service_that_fails_is_left_out(
    run: Run, tmp_path: Path, files: Path, failure: Answer
) -> None:
    """Another one reads its files at once. Alone it fails (the control: test_failures.py)."""
    failing, good = two(tmp_path, lambda _: failure, page)
    with failing, good:
        done = run(files, "--max-wait", "1", *options(tmp_path, failing, good, more=(NOBODY,)))
    assert done.status == 0, done.errors
    assert len(good.requests) == FILES
    said = [line for line in done.errors.splitlines() if "The other services are asked" in line]
    assert [NOBODY in line for line in said].count(True) == 1
    assert len(said) == (2 if failure.ending == "drop" else 1)  # 503 is not worth a line
    assert "Waiting" not in done.errors


def test_no_service_responds(run: Run, files: Path) -> None:
    """The run ends, as with one."""
    done = run(files, "--url", NOBODY, "--url", "https://localhost:7")
    assert done.status == 2
    assert "cannot be reached" in done.errors
    assert "Traceback" not in done.errors


def test_it_comes_back(tmp_path: Path) -> None:
    """A service that has failed gets one request at a time, and after a success all it can take."""
    healthy: list[bool] = []
    failing, good = two(tmp_path, lambda r: page(r) if healthy else Answer(ending="drop"), page)

    async def read() -> None:
        (tmp_path / "all.pem").write_bytes(failing.ca.read_bytes() + good.ca.read_bytes())
        urls = [failing.url, good.url]
        async with AsyncClient(urls, key="k", ca=tmp_path / "all.pem") as client:
            await client.read(b"\x89PNG")
            assert (len(failing.requests), len(good.requests)) == (1, 1)
            healthy.append(True)
            due = time.monotonic() + 20
            while len(failing.requests) < 3:
                assert time.monotonic() < due
                await client.read(b"\x89PNG")

    with failing, good:
        asyncio.run(read())
