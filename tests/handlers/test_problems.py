"""Every exception has an error response, in both languages, without content of the request."""

import asyncio
import inspect
import json
import re
import string
from collections import Counter
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

import handlers.bodies.body_errors
import handlers.errors
import middleware.errors
import model.errors
from handlers.bodies.other_formats import MEDIA_TYPES, OTHER_FORMATS
from handlers.parameters import NAMES, parameters_of
from handlers.problem_table import PROBLEMS, REJECTED, ROUTING, Problem
from handlers.problems import problem_of, respond
from middleware.request_context import request_context
from model.other_formats import OtherFormat
from tests.asgi import scope_of

AT_THE_START = (model.errors.UnknownWeights,)  # no request meets it
BASES = (
    middleware.errors.MiddlewareError,
    middleware.errors.PageQuotaError,
    handlers.errors.RequestError,
    handlers.errors.LoggedError,
    handlers.errors.MalformedBody,
    handlers.bodies.body_errors.MalformedImage,
    model.errors.UploadError,
    model.errors.ReadingError,
)
INSTANCES: list[Exception] = [
    middleware.errors.PlainHttpRefused(),
    middleware.errors.MalformedForwarding(),
    middleware.errors.MalformedHttp(),
    middleware.errors.HeadersTooLarge(),
    middleware.errors.TransferCodingUnknown(),
    middleware.errors.WebSocketRefused(),
    middleware.errors.NotAuthenticated(),
    middleware.errors.ScopeMissing("ocr"),
    middleware.errors.FunctionNotAllowed("/ocr"),
    middleware.errors.RateLimited("key", 60, 60, 7),
    middleware.errors.TooManyConcurrentRequests(4),
    middleware.errors.PagesExceedQuota("pages-day", 1000, 1200),
    middleware.errors.PageQuotaUsedUp(
        "pages-month", 20_000, 12, 50, renewed="2026-12-01", retry_after_s=86_400
    ),
    middleware.errors.LimitStorageFailed(),
    middleware.errors.AuditUnavailable(),
    middleware.errors.BodyTooLarge(5_000_000),
    middleware.errors.BodyTooSlow(30.0),
    middleware.errors.DeadlineExceeded(0.5),
    handlers.errors.UnknownParameter("detect=true, detect=false"),
    handlers.errors.RepeatedParameter("detect=true, detect=false", "detect"),
    handlers.errors.InvalidParameter("true, false", "detect"),
    handlers.errors.InvalidPages("1-3,7,9-", "pages"),
    handlers.errors.FormatNotPartial("text", "json, ndjson"),
    handlers.errors.FormatSinglePage("png"),
    handlers.errors.UnsupportedBody(),
    handlers.errors.UnsupportedEncoding("gzip"),
    handlers.bodies.body_errors.EmptyBody(),
    handlers.bodies.body_errors.BoundaryMissing(),
    handlers.bodies.body_errors.BoundaryNotFound(),
    handlers.bodies.body_errors.BareLineFeeds(),
    handlers.bodies.body_errors.MultipartCutShort(2),
    handlers.bodies.body_errors.PartMalformed(2, 345),
    handlers.bodies.body_errors.PartUnnamed(2),
    handlers.bodies.body_errors.PartIsText(2),
    handlers.bodies.body_errors.PartIsUrl(2),
    handlers.bodies.body_errors.NoImagePart(2, 3),
    handlers.bodies.body_errors.OtherFiles(2),
    handlers.bodies.body_errors.NoFileChosen(),
    handlers.bodies.body_errors.JsonMalformed(345),
    handlers.bodies.body_errors.JsonNotObject(),
    handlers.bodies.body_errors.JsonWithoutImage(),
    handlers.bodies.body_errors.JsonMemberUnknown(),
    handlers.bodies.body_errors.JsonMemberForeign("lang"),
    handlers.bodies.body_errors.JsonMemberRepeated("image"),
    handlers.bodies.body_errors.JsonImageNotString(2),
    handlers.bodies.body_errors.JsonImagesNotList(),
    handlers.bodies.body_errors.FieldMissing("options"),
    handlers.bodies.body_errors.FieldInvalid("options", "{...}"),
    handlers.bodies.body_errors.EmptyImage(2),
    handlers.bodies.body_errors.ImageIsUrl(2),
    handlers.bodies.body_errors.NotBase64(2, 345),
    handlers.bodies.body_errors.Base64CutShort(2),
    handlers.errors.TooManyImages(16),
    handlers.errors.ImagesTooLarge(100_000_000),
    handlers.errors.NotReady(("weights", "limit_storage")),
    handlers.errors.OutOfTime(),
    model.errors.UnsupportedImageType(),
    model.errors.UnreadableImage(),
    model.errors.EncryptedDocument(),
    model.errors.EmptyDocument(),
    model.errors.NoSuchPage(3),
    model.errors.TooManyPages(120, 50),
    model.errors.TooManyPixels(99_000_000, 50_000_000),
    model.errors.ReadingTimeout("decoding", 10.0),
    model.errors.Busy(2),
    model.errors.ReaderDied("worker"),
    model.errors.WeightsError("somewhere"),
    ClientDisconnect(),
    Exception("anything"),
]
# The further members of these problems.
PAGE_COUNTS = {
    model.errors.NoSuchPage: {"document_pages": 3},
    model.errors.TooManyPages: {"document_pages": 120, "max_pages": 50},
}
ALL = [*PROBLEMS.values(), *ROUTING.values(), REJECTED]


def _defined(module: ModuleType) -> list[type[Exception]]:
    return [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Exception) and member.__module__ == module.__name__
    ]


def _respond(exception: Exception, **headers: str) -> tuple[dict[str, Any], dict[str, str], int]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = asyncio.run(respond(Request(scope_of(headers=names)), exception))
    return json.loads(bytes(response.body)), dict(response.headers), response.status_code


@pytest.mark.parametrize(
    "module", [handlers.errors, handlers.bodies.body_errors, middleware.errors, model.errors]
)
def test_every_exception_is_in_the_table(module: ModuleType) -> None:
    """A new exception without an entry would become a 500."""
    defined = [error for error in _defined(module) if error not in (*BASES, *AT_THE_START)]
    assert defined
    assert [error.__name__ for error in defined if error not in PROBLEMS] == []


def test_every_entry_is_tested_here() -> None:
    """INSTANCES has one exception per entry."""
    assert [type(exception) for exception in INSTANCES] == list(PROBLEMS)


def test_an_exception_without_an_entry_is_internal() -> None:
    """Of any class; a subclass gets the entry of its base class."""

    class Longer(model.errors.Busy):
        """A kind of Busy."""

    assert problem_of(KeyError("x")).code == "internal_error"
    assert problem_of(Longer(3)).code == "busy"
    for base in BASES:
        assert problem_of(base.__new__(base)).code == "internal_error"


def test_codes_are_unique() -> None:
    """And consist of lower-case words; each status is an error status.

    A malformed body and an invalid parameter have one code, status and title, and a detail for each
    cause.
    """
    codes = Counter(problem.code for problem in ALL)
    assert {code for code, count in codes.items() if count > 1} == {
        "malformed_body",
        "unknown_parameter",
    }
    for code in codes:
        causes = [problem for problem in ALL if problem.code == code]
        assert len({(problem.status, problem.title) for problem in causes}) == 1
        assert len({problem.detail for problem in causes}) == len(causes)
    assert all(set(code) <= set(string.ascii_lowercase + "_") for code in codes)
    assert all(400 <= problem.status < 600 for problem in ALL)


@pytest.mark.parametrize("problem", ALL, ids=lambda problem: problem.code)
def test_both_languages_have_the_same_values(problem: Problem) -> None:
    """In title and detail; the second text is Chinese."""
    for english, chinese in (problem.title, problem.detail):
        assert english.isascii()
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
        names = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in (english, chinese)
        ]
        assert names[0] == names[1]


@pytest.mark.parametrize("exception", INSTANCES, ids=lambda exception: type(exception).__name__)
@pytest.mark.parametrize(("wanted", "language"), [("", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh")])
def test_every_error_response_is_a_problem_document(
    exception: Exception, wanted: str, language: str
) -> None:
    """With RFC 9457's members and the service's, media type, language, and no placeholder."""
    document, headers, status = _respond(exception, accept_language=wanted)
    problem = PROBLEMS[type(exception)]
    numbered = {"image"} if hasattr(exception, "image") and exception.image else set()
    members = {"type", "title", "status", "detail", "code", "request_id"} | numbered
    assert set(document) == members | set(PAGE_COUNTS.get(type(exception), {}))
    assert document["type"] == f"urn:problem-type:sealed-ocr:{problem.code}"
    assert document["title"] == problem.title[language == "zh"]
    assert document["status"] == status == problem.status
    assert document["code"] == problem.code
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-language"] == language
    assert "None" not in document["detail"]
    for name, value in vars(exception).items():
        if "{" + name + "}" in problem.detail[0]:
            assert str(value) in document["detail"]
            assert "{" + name not in document["detail"]


@pytest.mark.parametrize("exception", [each for each in INSTANCES if type(each) in PAGE_COUNTS])
def test_a_client_learns_how_many_pages_there_are(exception: Exception) -> None:
    """From the problem of a page that does not exist, and of too many pages."""
    counts = PAGE_COUNTS[type(exception)]
    document = _respond(exception)[0]
    assert {name: document[name] for name in counts} == counts


def test_every_other_format_is_named_with_its_remedy() -> None:
    """In both languages; a format without a text would be an internal error."""
    assert set(OTHER_FORMATS) == set(OtherFormat)
    for found in OtherFormat:
        error = model.errors.UnsupportedImageType(found)
        english, chinese = (_respond(error, accept_language=one)[0] for one in ("en", "zh"))
        assert english["code"] == chinese["code"] == "unsupported_image_type"
        assert english["detail"].startswith("The file is ")
        assert english["detail"].endswith("JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF and PDF.")
        assert chinese["detail"].startswith("\u8be5\u6587\u4ef6\u662f")
    details = [english for english, _ in OTHER_FORMATS.values()]
    assert len(set(details)) == len(details)
    assert set(MEDIA_TYPES.values()) <= set(OTHER_FORMATS)
    for declared in MEDIA_TYPES.values():
        document = _respond(handlers.errors.UnsupportedBody(declared))[0]
        assert document["code"] == "unsupported_body"
        assert document["detail"].startswith("The Content-Type is that of a")
    assert "iPhone" in _respond(model.errors.UnsupportedImageType("heic"))[0]["detail"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "error",
    [
        handlers.bodies.body_errors.JsonMemberUnknown(),
        handlers.bodies.body_errors.JsonMemberForeign("dpi"),
    ],
)
def test_an_unknown_member_lists_the_valid_ones(error: Exception, language: str) -> None:
    """The images and each parameter, so that none is missing when one is added."""
    detail = _respond(error, accept_language=language)[0]["detail"]
    assert {"image", "images", *NAMES} <= set(re.findall(r"\w+", detail, re.ASCII))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("detect", "true, false"),
        ("order", "columns, rows"),
        ("pages", "1-3,7,9-"),
        ("partial", "true, false"),
    ],
)
def test_an_invalid_value_lists_those_of_its_parameter(
    name: str, valid: str, language: str
) -> None:
    """And not those of the others."""
    with pytest.raises(handlers.errors.InvalidParameter) as caught:
        parameters_of([(name, "hunter2")])
    detail = _respond(caught.value, accept_language=language)[0]["detail"]
    assert name in detail
    assert valid in detail
    others = {"true", "columns", "1-3", "detect", "order", "pages", "partial"} - {name}
    assert [other for other in others if other in detail.replace(valid, "")] == []


def test_response_and_log_have_the_same_id_and_code() -> None:
    """The request_id and the code of the problem."""
    scope = scope_of()
    response = asyncio.run(respond(Request(scope), model.errors.UnreadableImage()))
    context = request_context(scope)
    assert json.loads(bytes(response.body))["request_id"] == context.request_id
    assert context.problem == "unreadable_image"


def test_an_internal_error_is_recorded_with_its_traceback() -> None:
    """Without its message; the errors of a request are recorded without one."""

    def fail(error: Exception) -> list[str] | None:
        scope = scope_of()
        try:
            raise error
        except type(error) as raised:
            asyncio.run(respond(Request(scope), raised))
        return request_context(scope).traceback

    traceback = fail(KeyError("hunter2"))
    assert traceback
    assert traceback[0] == "KeyError"
    assert traceback[-1].startswith("test_problems.py:")
    assert "hunter2" not in repr(traceback)
    assert fail(model.errors.UnreadableImage("hunter2")) is None
    logged = fail(handlers.errors.LoggedError("no disk space"))
    assert logged
    assert logged[0] == "LoggedError: no disk space"


@pytest.mark.parametrize("exception", INSTANCES, ids=lambda exception: type(exception).__name__)
def test_retry_after_is_whole_seconds(exception: Exception) -> None:
    """At least 1, as in RFC 9110, section 10.2.3."""
    _, headers, status = _respond(exception)
    expected = hasattr(exception, "retry_after_s")
    assert ("retry-after" in headers) == expected
    if expected:
        assert headers["retry-after"].isdecimal()
        assert int(headers["retry-after"]) >= 1
        assert status in {429, 503}


def test_an_unsupported_encoding_says_what_is_supported() -> None:
    """In Accept-Encoding, which no other error response has (RFC 9110, section 12.5.3)."""
    for exception in INSTANCES:
        _, headers, _ = _respond(exception)
        unsupported = isinstance(exception, handlers.errors.UnsupportedEncoding)
        assert headers.get("accept-encoding") == ("identity" if unsupported else None)


def test_only_a_401_has_a_challenge() -> None:
    """The WWW-Authenticate header."""
    for exception in INSTANCES:
        _, headers, status = _respond(exception)
        assert ("www-authenticate" in headers) == (status == 401)


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (HTTPException(404), 404, "not_found"),
        (HTTPException(405, headers={"Allow": "POST"}), 405, "method_not_allowed"),
        (HTTPException(400, "hunter2"), 400, "malformed_request"),
        (HTTPException(409, "hunter2"), 409, "malformed_request"),
        (HTTPException(503, "hunter2"), 500, "internal_error"),
    ],
)
def test_http_exceptions_are_problem_documents(
    raised: HTTPException, status: int, code: str
) -> None:
    """With their headers, without their text."""
    document, headers, answered = _respond(raised)
    assert (answered, document["status"], document["code"]) == (status, status, code)
    assert headers.get("allow") == (raised.headers or {}).get("Allow")
    assert "hunter2" not in json.dumps(document)


@given(st.text())
@settings(max_examples=25)  # each tests 20 exceptions
def test_no_error_response_repeats_the_request(text: str) -> None:
    """Nor the text of an exception."""
    marked = f"hunter2{text}"
    header = marked.encode("ascii", "ignore").decode()
    scope = scope_of(
        "POST",
        f"/{header}",
        query=marked.encode(),
        headers={"accept-language": f"zh, {header}", "content-type": header, "x-api-key": header},
    )
    for exception in (
        *(e for e in INSTANCES if not vars(e)),
        Exception(marked),
        KeyError(marked),
        model.errors.UnreadableImage(marked),
        model.errors.ReaderDied(marked),
        model.errors.WeightsError(marked),
        HTTPException(404, marked),
    ):
        response = asyncio.run(respond(Request(scope), exception))
        assert b"hunter2" not in bytes(response.body)
        assert not any("hunter2" in value for value in response.headers.values())
