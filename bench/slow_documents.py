"""Measures readings beside a key that sends slow documents: `python bench/slow_documents.py`.

Starts the service for each row. One key reads the receipt, one request after the other; another key
sends ten documents at a time, each of which takes as long as the service lets it. Prints Markdown.
"""

import argparse
import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import percentile, table
from bench.load import open_client
from bench.machine import describe
from bench.overload import Answer, Caller
from bench.servers import AMPLE, ROOT, Server, launch_ours
from bench.slow_pdfs import form_fields, poster

_AT_A_TIME = 10
_SERVED, _BUSY = 200, 503
_PAUSE_S = 0.25  # after a refusal
_HEADS = ("beside", "honest readings", "p50 ms", "p99 ms", "worst ms", "other statuses",
          "slow documents by status")  # fmt: skip
DOCUMENTS = {
    "nothing": b"",
    "a tree of 16 million form fields": form_fields(24),
    "a poster of 100 s": poster(40),
}


async def send_without_end(server: Server, document: bytes, statuses: Counter[int]) -> None:
    """Send a document, and again as soon as it is answered."""
    job = server.job | {"headers": {"X-API-Key": server.keys[1], "Content-Type": "application/pdf"}}
    async with open_client(job) as client:
        while True:
            response = await client.post("/ocr", content=document)
            statuses[response.status_code] += 1
            if response.status_code == _BUSY:
                await asyncio.sleep(_PAUSE_S)


async def read_in_turn(server: Server, seconds: float) -> Sequence[Answer]:
    """Return the answers to an honest client in these seconds."""
    image = (ROOT / "examples" / "receipt.png").read_bytes()
    honest = Caller(server, server.keys[0], image)
    loop = asyncio.get_running_loop()
    end, answers = loop.time() + seconds, []
    while loop.time() < end:
        answers.append(await honest.ask())
    return answers


async def measured(server: Server, document: bytes, seconds: float, warm_up_s: float) -> list[str]:
    """Return the cells of a row."""
    await read_in_turn(server, warm_up_s)
    statuses: Counter[int] = Counter()
    async with asyncio.TaskGroup() as group:
        senders = [
            group.create_task(send_without_end(server, document, statuses))
            for _ in range(_AT_A_TIME if document else 0)
        ]
        with contextlib.ExitStack() as stack:
            for sender in senders:
                stack.callback(sender.cancel)
            answers = await read_in_turn(server, seconds)
    ms = [answer.ms for answer in answers if answer.status == _SERVED]
    other = Counter(answer.status for answer in answers if answer.status != _SERVED)
    return [str(len(ms)), *(f"{percentile(ms, share):.0f}" for share in (0.5, 0.99, 1)),
            _counts(other), _counts(statuses)]  # fmt: skip


def _counts(statuses: Counter[int]) -> str:
    return ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items())) or "-"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=3, help="seconds before them")
    chosen = parser.parse_args()
    print(f"{describe()}\n")
    rows = []
    for name, document in DOCUMENTS.items():
        with launch_ours("sealed-crnn-v2", warm=True, limits=(AMPLE, AMPLE)) as server:
            row = measured(server, document, chosen.seconds, chosen.warm_up)
            rows.append([name, *asyncio.run(row)])
    print(table(_HEADS, rows))


if __name__ == "__main__":
    main()
