"""POST /ocr: images in, text out."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from handlers.errors import UnknownParameter
from handlers.negotiation import preferred
from handlers.uploads import images_from, media_type_of
from middleware.exchange import exchange_of, open_window
from model.reader import Reader, Reading

ANSWERS = ("application/json", "text/plain")


async def recognize(request: Request) -> Response:
    """Read the images of the body, each by itself, in the order they came."""
    detect = _detect(request)
    media_type_of(request)
    reader: Reader = request.state.reader
    # The place is given back before the answer is sent: a client that does not read it holds none.
    with reader.place() as read:
        open_window(request.scope)
        images = await images_from(request, max_images=request.state.max_images)
        readings = [await read(image, detect=detect) for image in images]
    exchange = exchange_of(request.scope)
    exchange.images = len(readings)
    exchange.lines = sum(len(reading.lines) for reading in readings)
    if preferred(request.headers.get("accept"), ANSWERS) == "text/plain":
        return PlainTextResponse("\n\n".join(reading.text for reading in readings))
    return JSONResponse(_document(readings, exchange.request_id))


def _detect(request: Request) -> bool:
    """Return `?detect=`: whether lines are looked for, or the image is one line."""
    given = request.query_params.multi_items()
    if not given:
        return True
    if len(given) > 1 or given[0] not in {("detect", "true"), ("detect", "false")}:
        raise UnknownParameter("detect=true, detect=false")
    return given[0][1] == "true"


def _document(readings: Sequence[Reading], request_id: str) -> dict[str, Any]:
    if len(readings) == 1:
        return {**_image(readings[0]), "request_id": request_id}
    return {"images": [_image(reading) for reading in readings], "request_id": request_id}


def _image(reading: Reading) -> dict[str, Any]:
    return {
        "text": reading.text,
        "lines": [
            {"text": line.text, "confidence": round(line.confidence, 4), "polygon": line.polygon}
            for line in reading.lines
        ],
        "width": reading.width,
        "height": reading.height,
        "model": reading.model,
        "timing_ms": {step: round(ms, 1) for step, ms in reading.timing_ms.items()},
    }
