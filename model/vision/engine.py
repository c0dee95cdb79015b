"""The engine process: sealed RGB pixels in, lines out, one page at a time.

It holds the networks and imports numpy, OpenCV and ONNX Runtime; it never sees an upload's bytes,
and once it is locked it can open nothing, talk to nobody but its parent, and start no program.
"""

import json
import mmap
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.ma  # cv2 or numpy would import it while reading, when no file can be opened

from model.errors import WeightsError
from model.sandbox import lock, policies
from model.sandbox.kernel import forget_freed_memory
from model.vision.detect import Detector
from model.vision.inference import Pixels
from model.vision.orient import Orientation
from model.vision.page import PageReader, PageReading
from model.vision.recogniser import Recogniser
from model.weights import pick, pick_orientation
from model.workers import memfd
from model.workers.channel import Channel, Message, close_all

_TEST_TEXT, _TEST_PAGE_PX = "4711 0815", 320
# Address space beyond what is mapped at the start: networks, threads' stacks and heaps (beside each
# that reads up to two that detect), and what detection and cutting hold of a page (measured: 10
# bytes a pixel).
_BYTES_BESIDE, _BYTES_PER_THREAD, _BYTES_PER_PIXEL = 4 << 30, 3 * 128 << 20, 24


class Cancelled(Exception):
    """The parent has something to say: it wants this reading no more, or is gone."""


class SelfTestFailed(Exception):
    """What was drawn was not what was read."""


def serve(channel: Channel) -> None:
    """Answer until the parent closes the channel.

    A start message `{"detector", "recogniser", "threads", "max_pixels", "seccomp"}` is answered
    `{"landlock"}` or `{"error", "detail"}`. Each page `{"width", "height", "detect", "threads"}`
    comes with a memory file of H x W x 3 bytes and room for the result, and is answered
    `{"bytes"}`, how much of the room is JSON, or `{"cancelled"}` if a message came meanwhile.
    """
    reader: PageReader | None = None
    while True:
        try:
            message, descriptors = channel.receive()
        except EOFError:
            return
        if "cancel" in message:  # it crossed our answer
            continue
        try:
            if reader is None:
                reader, answer = start(message)
            else:
                answer = {"bytes": _read(reader, message, *descriptors, channel=channel)}
        except WeightsError as error:
            answer = {"error": "WeightsError", "detail": str(error)}
        except Cancelled:
            answer = {"cancelled": True}
        finally:
            close_all(descriptors)
            forget_freed_memory()
        channel.send({**answer, "sequence": message["sequence"]})


def start(message: Message) -> tuple[PageReader, Message]:
    """Load the networks, lock the process, and read once as it will read from now on.

    Files are given up before the first network and thread, system calls when all threads run:
    what they do while they start is not what they do while they read. Raises WeightsError.
    """
    lock.assert_single_task()
    loaded = Networks(message)
    threads = int(message["threads"])
    lock.limit(
        memory_bytes=lock.address_space_bytes()
        + _BYTES_BESIDE
        + threads * _BYTES_PER_THREAD
        + int(message["max_pixels"]) * _BYTES_PER_PIXEL
    )
    landlock = lock.give_up_files()
    reader = loaded.reader(threads)
    self_test(reader)
    if message["seccomp"]:
        lock.give_up_calls(policies.engine())
        self_test(reader)
    return reader, {"landlock": landlock}


class Networks:
    """The files of a start message's networks, read while files can be."""

    def __init__(self, message: Message) -> None:
        """Read and check them. Raises WeightsError."""
        self._detector = pick(message["detector"], "detector").held()
        self._orientation = pick_orientation().held()
        self._recogniser = pick(message["recogniser"], "recogniser").held()

    def reader(self, threads: int) -> PageReader:
        """Load them, and start the threads that read."""
        cv2.setNumThreads(1)  # our threads each have a line; OpenCV's would compete with them
        # The first network makes this thread, and those it starts, count tiny floats as zero.
        orientation = Orientation(self._orientation, threads=1)
        # Lines run side by side, each on one thread; the page's one detection may have them all.
        with ThreadPoolExecutor(1) as beside:
            recogniser = beside.submit(Recogniser, self._recogniser, threads=1)
            detector = Detector(self._detector, threads=threads)
        return PageReader(detector, orientation, recogniser.result(), threads=threads)


def load(message: Message) -> PageReader:
    """Return a reader with the networks of a start message, nothing locked. Raises WeightsError."""
    return Networks(message).reader(int(message["threads"]))


def self_test(reader: PageReader) -> None:
    """Read a drawn page. Raises SelfTestFailed where not one of its lines is read rightly."""
    lines = reader.read(drawn_page(), detect=True, check=lambda: None).lines
    if not any(line.text == _TEST_TEXT for line in lines):
        raise SelfTestFailed


def drawn_page() -> Pixels:
    """Return a page, H x W x 3, its lines standing all four ways: each takes steps of its own."""
    page: Pixels = np.full((_TEST_PAGE_PX, _TEST_PAGE_PX, 3), 255, np.uint8)
    for _ in range(4):
        cv2.putText(page, _TEST_TEXT, (100, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0, 2, cv2.LINE_AA)
        page = np.ascontiguousarray(np.rot90(page))
    return page


def _read(reader: PageReader, message: Message, pixels: int, room: int, *, channel: Channel) -> int:
    """Write the reading of one page as JSON; return its length. Raises Cancelled."""

    def check() -> None:
        if channel.pending():
            raise Cancelled

    width, height = int(message["width"]), int(message["height"])
    # Unmapped with its last user: closed earlier, a cancelled reading's traceback still holds it.
    mapped = mmap.mmap(pixels, width * height * 3, prot=mmap.PROT_READ)
    page: Pixels = np.frombuffer(mapped, np.uint8).reshape(height, width, 3)
    reading = reader.read(
        page, detect=bool(message["detect"]), check=check, threads=int(message["threads"])
    )
    return memfd.fill(room, json.dumps(as_json(reading)).encode())


def as_json(reading: PageReading) -> Message:
    """Return the reading as the parent expects it."""
    return {
        "detect_ms": reading.detect_ms,
        "recognise_ms": reading.recognise_ms,
        "lines": [
            {
                "text": line.text,
                "confidence": line.confidence,
                "polygon": np.rint(line.polygon).astype(int).tolist(),
            }
            for line in reading.lines
        ],
    }
