"""The engine process: sealed RGB pixels in, lines out, one page at a time.

It holds the networks and imports numpy, OpenCV and ONNX Runtime; it never sees an upload's bytes.
"""

import json
import mmap

import cv2
import numpy as np

from model import sealed
from model.channel import Channel, Message, close_all
from model.crnn import Recogniser
from model.detect import Detector
from model.errors import WeightsError
from model.inference import Pixels
from model.orient import Orientation
from model.page import PageReader, PageReading
from model.weights import pick, pick_orientation


class Cancelled(Exception):
    """The parent has something to say: it wants this reading no more, or is gone."""


def serve(channel: Channel) -> None:
    """Answer until the parent closes the channel.

    A start message `{"detector", "recogniser", "threads"}` is answered `{}` or `{"error",
    "detail"}`; then each page `{"width", "height", "detect"}`, with a memory file of H x W x 3
    bytes, is answered `{}` with a memory file of JSON, or `{"cancelled"}` if a message came
    meanwhile.
    """
    reader: PageReader | None = None
    while True:
        try:
            message, descriptors = channel.receive()
        except EOFError:
            return
        if "cancel" in message:  # it crossed our answer
            continue
        answer: Message = {}
        results: list[int] = []
        try:
            if reader is None:
                reader = load(message)
            else:
                results = [_read(reader, message, descriptors[0], channel)]
        except WeightsError as error:
            answer = {"error": "WeightsError", "detail": str(error)}
        except Cancelled:
            answer = {"cancelled": True}
        finally:
            close_all(descriptors)
        channel.send({**answer, "sequence": message["sequence"]}, *results)
        close_all(results)


def load(message: Message) -> PageReader:
    """Return a reader with the networks of a start message. Raises WeightsError."""
    threads = int(message["threads"])
    cv2.setNumThreads(1)  # our threads each have a line; OpenCV's would compete with them
    # Lines run side by side, each on one thread; the page's one detection may have them all.
    return PageReader(
        Detector(pick(message["detector"], "detector"), threads=threads),
        Orientation(pick_orientation(), threads=1),
        Recogniser(pick(message["recogniser"], "recogniser"), threads=1),
        threads=threads,
    )


def _read(reader: PageReader, message: Message, descriptor: int, channel: Channel) -> int:
    """Return a sealed memory file with the reading of one page. Raises Cancelled."""

    def check() -> None:
        if channel.pending():
            raise Cancelled

    width, height = int(message["width"]), int(message["height"])
    # Unmapped with its last user: closed earlier, a cancelled reading's traceback still holds it.
    mapped = mmap.mmap(descriptor, width * height * 3, prot=mmap.PROT_READ)
    pixels: Pixels = np.frombuffer(mapped, np.uint8).reshape(height, width, 3)
    reading = reader.read(pixels, detect=bool(message["detect"]), check=check)
    return sealed.copy("reading", json.dumps(_as_json(reading)).encode())


def _as_json(reading: PageReading) -> Message:
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
