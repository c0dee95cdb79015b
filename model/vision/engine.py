"""The engine process: receives RGB pixels, returns lines, one page at a time.

It has the networks loaded and uses numpy, OpenCV and ONNX Runtime. It never gets an upload's bytes;
once restricted, it can't open files, connect to anything but its parent, or start programs.
"""

import json
import mmap
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.ma  # cv2 or numpy would import it during a reading, when no file can be opened

from model.errors import WeightsError
from model.options import DEFAULT_OPTIONS, PageImage, WordMode
from model.sandbox import lock, policies
from model.sandbox.kernel import release_free_memory
from model.vision.detection.detect import Detector
from model.vision.inference import Pixels
from model.vision.lines.orient import Orientation
from model.vision.lines.recogniser import Recogniser
from model.vision.page import PageReader
from model.vision.page_image import encoded
from model.vision.result import as_json
from model.weights import pick, pick_orientation
from model.workers import memfd
from model.workers.channel import Channel, Message, close_all
from model.workers.crash import SelfTestFailed
from model.workers.failure import failure_message

_TEST_TEXT, _TEST_PAGE_PX = "4711 0815", 320
# Address space beyond what is mapped at the start: the networks, stacks and heaps of the threads
# (up to two threads of detection for each that recognises), and what detection and cropping take of
# a page (measured: 10 bytes a pixel).
_EXTRA_BYTES, _BYTES_PER_THREAD, _BYTES_PER_PIXEL = 4 << 30, 3 * 128 << 20, 24


class RequestCancelled(Exception):
    """The parent cancels the request, or has closed the channel."""


def serve(channel: Channel) -> None:
    """Handle requests until the parent closes the channel.

    The start message `{"detector", "recogniser", "threads", "max_pixels", "seccomp"}` gets the
    response `{"landlock"}` or `{"error", "detail"}`. Each page `{"width", "height", "threads",
    "image_size"}`, with the members of ReadingOptions, comes with a memory file of H x W x 3 bytes
    and an output buffer, and gets the response `{"bytes"}`, the length of the JSON in that buffer,
    with `{"image_bytes"}` if an image follows it, or `{"cancelled"}` if a message has arrived.
    """
    reader: PageReader | None = None
    while True:
        try:
            message, descriptors = channel.receive()
        except EOFError:
            return
        if "cancel" in message:  # it was sent before our response arrived
            continue
        try:
            if reader is None:
                reader, response = start(message)
            else:
                response = _read_page(reader, message, *descriptors, channel=channel)
        except WeightsError as error:
            response = failure_message(error)
        except RequestCancelled:
            response = {"cancelled": True}
        finally:
            close_all(descriptors)
            release_free_memory()
        channel.send({**response, "sequence": message["sequence"]})


def start(message: Message) -> tuple[PageReader, Message]:
    """Load the networks, restrict the process, and read a test page under the restrictions.

    Files are dropped before the first network and thread exist, system calls when all threads do.

    Raises:
        WeightsError: a file is missing or different.
        SelfTestFailed: the test page was not read.

    """
    lock.assert_single_thread()
    networks = Networks(message)
    threads = int(message["threads"])
    lock.limit_memory(
        lock.address_space_bytes()
        + _EXTRA_BYTES
        + threads * _BYTES_PER_THREAD
        + int(message["max_pixels"]) * _BYTES_PER_PIXEL
    )
    landlock = lock.drop_files()
    reader = networks.reader(threads)
    if message["seccomp"]:
        lock.drop_system_calls(policies.engine())
    self_test(reader)
    return reader, {"landlock": landlock}


class Networks:
    """The contents of the weights files, read while files can be opened."""

    def __init__(self, message: Message) -> None:
        """Read and check the files that a start message names.

        Raises:
            WeightsError: one is missing or different.

        """
        self._detector = pick(message["detector"], "detector").loaded()
        self._orientation = pick_orientation().loaded()
        self._recogniser = pick(message["recogniser"], "recogniser").loaded()

    def reader(self, threads: int) -> PageReader:
        """Load the networks and start the threads."""
        cv2.setNumThreads(1)  # each of our threads has a line; OpenCV's would compete with them
        # The first network makes this thread, and those it starts, treat denormal floats as zero.
        orientation = Orientation(self._orientation, threads=1)
        # Lines are recognised in parallel, each in one thread; a page's detection may use them all.
        with ThreadPoolExecutor(1) as parallel:
            recogniser = parallel.submit(Recogniser, self._recogniser, threads=1)
            detector = Detector(self._detector, threads=threads)
        return PageReader(detector, orientation, recogniser.result(), threads=threads)


def load(message: Message) -> PageReader:
    """Return a reader with the networks that a start message names, in a process not restricted.

    Raises:
        WeightsError: a file is missing or different.

    """
    return Networks(message).reader(int(message["threads"]))


def self_test(reader: PageReader) -> None:
    """Read the test page, with its words, and encode it.

    Raises:
        SelfTestFailed: none of its lines was read correctly.

    """
    page = render_test_page()
    lines = reader.read(page, detect=True, check=lambda: None, words=WordMode.WORD).lines
    for image in PageImage:
        encoded(page, lines, image, (100, 100), DEFAULT_OPTIONS.image_quality)
    if not any(line.text == _TEST_TEXT for line in lines):
        raise SelfTestFailed


def render_test_page() -> Pixels:
    """Return a page, H x W x 3, with a line in each direction: each takes steps of its own."""
    page: Pixels = np.full((_TEST_PAGE_PX, _TEST_PAGE_PX, 3), 255, np.uint8)
    for _ in range(4):
        cv2.putText(page, _TEST_TEXT, (100, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0, 2, cv2.LINE_AA)
        page = np.ascontiguousarray(np.rot90(page))
    return page


def _read_page(
    reader: PageReader, message: Message, pixels: int, output: int, *, channel: Channel
) -> Message:
    """Write the reading of one page to the output buffer; return the lengths of its parts.

    Raises:
        RequestCancelled: a message has arrived meanwhile.

    """

    def check() -> None:
        if channel.readable():
            raise RequestCancelled

    width, height = int(message["width"]), int(message["height"])
    # Unmapped with its last reference: the traceback of a cancelled reading still has one.
    mapped = mmap.mmap(pixels, width * height * 3, prot=mmap.PROT_READ)
    page: Pixels = np.frombuffer(mapped, np.uint8).reshape(height, width, 3)
    reading = reader.read(
        page,
        detect=bool(message["detect"]),
        check=check,
        by_columns=bool(message["by_columns"]),
        words=WordMode(message["words"]),
        threads=int(message["threads"]),
    )
    document = as_json(reading)
    if message["image"] is None:
        return {"bytes": memfd.write(output, json.dumps(document).encode())}
    began = time.perf_counter()
    wanted = PageImage(message["image"])
    size, quality = message["image_size"], int(message["image_quality"])
    image = encoded(page, reading.lines, wanted, (int(size[0]), int(size[1])), quality)
    document["image_ms"] = (time.perf_counter() - began) * 1000
    written = json.dumps(document).encode()
    memfd.write(output, written + image)
    return {"bytes": len(written), "image_bytes": len(image)}
