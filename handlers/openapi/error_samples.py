"""An example of each error: the document that a client would get, with the limits in force."""

from typing import Any

from handlers import errors
from handlers.bodies import body_errors
from handlers.bodies.body_errors import MalformedImage
from handlers.description import Text
from handlers.openapi.interface import FunctionFacts, Interface
from handlers.page_images import MAX_IMAGES_BYTES
from handlers.parameters import VALID
from handlers.problem_table import Problem
from middleware.errors import (
    BodyTooSlow,
    PageQuotaError,
    PagesExceedQuota,
    RateLimited,
    TooManyConcurrentRequests,
)
from model import errors as model_errors

REQUEST_ID = "2372716cac14ede1"
_COUNTS = {"image": 2, "part": 2, "position": 345, "files": 1, "fields": 2, "others": 1}
_NAMES = {
    errors.InvalidPages: "pages",
    body_errors.FieldMissing: "file",
    body_errors.FieldInvalid: "options",
}
_QUOTA = 40
_WITH_PROGRESS = (model_errors.ReadingTimeout, errors.OutOfTime)


def sample(
    error: type[Exception], problem: Problem, interface: Interface, function: FunctionFacts
) -> dict[str, Any]:
    """Return an example of the problem document of an exception in this function."""
    values = values_of(error, interface, function)
    document: dict[str, Any] = {
        "type": f"urn:problem-type:sealed-ocr:{problem.code}",
        "title": Text(*problem.title),
        "status": problem.status,
        "detail": Text(*(detail.format_map(values) for detail in problem.detail)),
        "code": problem.code,
        "request_id": REQUEST_ID,
    }
    if issubclass(error, model_errors.UploadError | MalformedImage | PageQuotaError):
        document["image"] = values["image"]
    if issubclass(error, _WITH_PROGRESS):
        document |= {"pages_read": 12, "next_pages": "13-"}
    if issubclass(error, model_errors.NoSuchPage | model_errors.TooManyPages):
        document["document_pages"] = values["pages"]
    if issubclass(error, model_errors.TooManyPages):
        document["max_pages"] = values["limit"]
    return document


def values_of(
    error: type[Exception], interface: Interface, function: FunctionFacts
) -> dict[str, object]:
    """Return the attributes of an exception, which stand in the place of names in a detail."""
    slow = function.body_timeout_s if error is BodyTooSlow else function.timeout_s
    reading = error is model_errors.ReadingTimeout
    return {
        **_COUNTS,
        "scope": function.scope,
        "path": function.path,
        "retry_after_s": 42,
        "limit_bytes": function.max_body_bytes,
        "limit_s": f"{interface.decode_timeout_s if reading else slow:g}",
        "limit": _limit(error, interface),
        "pages": _pages(error, interface),
        "quota": _QUOTA,
        "left": 2,
        "policy": "function" if error is RateLimited else "pages-day",
        "renewed": "2026-12-01",
        "window_s": 60,
        "pixels": interface.max_pixels + 1,
        "takes": _valid_values(error),
        "name": _NAMES.get(error, "detect"),
        "encoding": "gzip",
        "failed": "engine",
        "found": None,
        "member": "image" if error is body_errors.JsonMemberRepeated else "lang",
    }


def _pages(error: type[Exception], interface: Interface) -> int:
    most = {model_errors.TooManyPages: interface.max_pages, PagesExceedQuota: _QUOTA}
    return most.get(error, 2) + 1


def _limit(error: type[Exception], interface: Interface) -> int:
    limits = {
        errors.TooManyImages: interface.max_images,
        errors.ImagesTooLarge: MAX_IMAGES_BYTES,
        model_errors.TooManyPages: interface.max_pages,
        RateLimited: 10,
        TooManyConcurrentRequests: 4,
    }
    return limits.get(error, interface.max_pixels)


def _valid_values(error: type[Exception]) -> str:
    if error is errors.InvalidPages:
        return "1-3,7,9-"
    return "true, false" if error is errors.InvalidParameter else VALID
