"""PaddleX's basic serving of the pipeline OCR: POST /ocr with JSON, texts and boxes out."""

import base64
import re
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.body_errors import FieldInvalid
from handlers.compat.boxes import is_upside_down
from handlers.compat.failure import Failure, failing_as
from handlers.compat.json_object import json_object
from handlers.compat.reading import admitted
from handlers.description import described
from handlers.errors import RequestError
from handlers.large_pages import worked
from handlers.writing.geometry import bounds
from model.errors import ReadingTimeout, UploadError
from model.reader import Line, Page, PageImage, ReadingOptions, WordMode

FLAGS = ("useDocOrientationClassify", "useDocUnwarping", "useTextlineOrientation",
         "returnWordBox", "visualize")  # fmt: skip
PDF_HEADER_WITHIN = 1024  # bytes; white space may precede it
FILE_TYPES = (0, 1, None)  # PDF, image: the content decides
LOG_ID = re.compile(r"[!-~]{1,128}")
# What PaddleX answers for its own detector. Ours has no such parameters; clients expect the member.
DETECTION = {"limit_side_len": 64, "limit_type": "min", "thresh": 0.3, "box_thresh": 0.6,
             "unclip_ratio": 1.5}  # fmt: skip


def failed(failure: Failure) -> Response:
    """Return an error, whose code is its status: 422 for whatever is wrong with the request."""
    invalid = isinstance(failure.cause, RequestError | UploadError)
    status = failure.status
    if invalid and not isinstance(failure.cause, ReadingTimeout):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    log_id = getattr(failure.request.state, "log_id", None) or _log_id(None)
    return JSONResponse({"logId": log_id, "errorCode": status, "errorMsg": failure.detail}, status)


@described("handlers.openapi.drop_ins:paddlex")
@failing_as(failed)
async def ocr(request: Request) -> Response:
    """Return the lines of each page and, unless `visualize` is false, its image with boxes."""
    with admitted(request) as reading:
        body = await json_object(request)
        request.state.log_id = _log_id(body.members.get("logId"))
        flags = {name: _flag(body.members, name) for name in FLAGS}
        if body.members.get("fileType") not in FILE_TYPES:
            raise FieldInvalid("fileType", "0, 1, null")
        threshold = _number(body.members, "textRecScoreThresh")
        file = await body.file("file")
        wants_words = bool(flags["returnWordBox"])
        options = ReadingOptions(
            words=WordMode.WORD if wants_words else WordMode.NONE,
            image=None if flags["visualize"] is False else PageImage.ANNOTATED_JPEG,
        )
        pages = await reading.pages(file, options)
    info = _data_info(pages, is_pdf=file[:PDF_HEADER_WITHIN].lstrip().startswith(b"%PDF"))

    def answer() -> Response:
        results = [_result(page, threshold, words=wants_words) for page in pages]
        result = {"ocrResults": results, "dataInfo": info}
        log_id = request.state.log_id
        return JSONResponse(
            {"logId": log_id, "result": result, "errorCode": 0, "errorMsg": "Success"}
        )

    return await worked(reading.amount, answer)


def _log_id(given: object) -> str:
    """Return the caller's id of the request, if it is one, or a new one."""
    return given if isinstance(given, str) and LOG_ID.fullmatch(given) else str(uuid.uuid4())


def _flag(members: Mapping[str, Any], name: str) -> bool | None:
    """Return a member that is true, false, or null or absent: None.

    Raises:
        FieldInvalid: it is something else.

    """
    value = members.get(name)
    if value is not None and not isinstance(value, bool):
        raise FieldInvalid(name, "true, false, null")
    return value


def _number(members: Mapping[str, Any], name: str) -> float:
    """Return a member from 0 to 1; 0 if it is null or absent.

    Raises:
        FieldInvalid: it is something else.

    """
    value = members.get(name)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise FieldInvalid(name, "0.0 ... 1.0")
    return float(value)


def _result(page: Page, threshold: float, *, words: bool) -> dict[str, Any]:
    """Return the result of one page; lines below the threshold are in `dt_polys` only."""
    lines = [line for line in page.lines if line.confidence >= threshold]
    pruned = {
        "model_settings": {"use_doc_preprocessor": False, "use_textline_orientation": True},
        "dt_polys": [line.polygon for line in page.lines],
        "text_det_params": DETECTION,
        "text_type": "general",
        "textline_orientation_angles": [int(is_upside_down(line.polygon)) for line in page.lines],
        "text_rec_score_thresh": threshold,
        "return_word_box": words,
        "rec_texts": [line.text or "" for line in lines],
        "rec_scores": [round(line.confidence, 4) for line in lines],
        "rec_polys": [line.polygon for line in lines],
        "rec_boxes": [bounds(line.polygon) for line in lines],
    }
    image = {} if page.image is None else {"ocrImage": base64.b64encode(page.image).decode()}
    return {"prunedResult": {**pruned, **(_words(lines) if words else {})}, **image}


def _words(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "text_word": [[word.text for word in line.words] for line in lines],
        "text_word_boxes": [[bounds(word.polygon) for word in line.words] for line in lines],
    }


def _data_info(pages: Sequence[Page], *, is_pdf: bool) -> dict[str, Any]:
    sizes = [{"width": page.width, "height": page.height} for page in pages]
    if not pages[0].of_document:
        return {**sizes[0], "type": "image"}
    return {"numPages": len(pages), "pages": sizes, "type": "pdf" if is_pdf else "tiff"}
