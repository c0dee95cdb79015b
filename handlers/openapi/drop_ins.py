"""What the document says of functions in place of other OCR services; docs/compat.md has more."""

from typing import Any

from handlers import errors
from handlers.bodies import body_errors
from handlers.description import Description, Text
from handlers.openapi.headers import references
from handlers.openapi.interface import Interface
from middleware.errors import OF_PAGES
from model import errors as model_errors

_ERRORS = (
    *OF_PAGES,
    body_errors.FieldMissing,
    errors.UnsupportedEncoding,
    model_errors.UnsupportedImageType,
    model_errors.UnreadableImage,
    model_errors.EncryptedDocument,
    model_errors.TooManyPages,
    model_errors.TooManyPixels,
    model_errors.ReadingTimeout,
    model_errors.Busy,
    model_errors.ReaderDied,
    model_errors.WeightsError,
)
_FORM = "multipart/form-data"
_JSON = "application/json"
_UMI = "text/html"  # JSON, with the media type that Umi-OCR sends
_STRING = {"type": "string"}
_FLAG = {"type": "boolean"}
_FILE = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "format": "byte", "contentEncoding": "base64"}
_OPTIONS = {"type": "object"}
_BOX = [[40, 32], [200, 32], [200, 60], [40, 60]]


def _drop_in(
    interface: Interface,
    name: str,
    peer: str,
    *,
    body: dict[str, Any] | None = None,
    media_type: str = _JSON,
    example: Any,
) -> Description:
    """Return the description of a function in place of a peer's, which is named `name`."""
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": ["drop-ins"],
        "summary": Text(f"In place of {peer}", f"代替 {peer}"),
        "description": Text(
            f"Takes the requests of {peer}, and answers in its form, errors included.",
            f"接受 {peer} 的请求，并以其格式返回结果和错误。",
        ),
        "responses": {
            "200": {
                "description": Text("As the other service responds.", "与原服务的响应相同。"),
                "headers": references(interface=interface),
                "content": {media_type: {"schema": {}, "examples": {"Read": {"value": example}}}},
            }
        },
    }
    if body is None:
        return Description(operation)
    content = {media: {"schema": schema} for media, schema in body.items()}
    return Description(
        {**operation, "requestBody": {"required": True, "content": content}}, _ERRORS
    )


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties}
    return {**found, "required": list(required)} if required else found


def umi_ocr(interface: Interface) -> Description:
    """Return the description of handlers.compat.umi_ocr.ocr."""
    found = {"text": "Harbour Cafe", "score": 0.9981, "box": _BOX, "end": "\n"}
    return _drop_in(
        interface,
        "umi_ocr",
        "Umi-OCR",
        body={_JSON: _object({"base64": _BASE64, "options": _OPTIONS}, ("base64",))},
        media_type=_UMI,
        example={"code": 100, "data": [found], "time": 0.21, "timestamp": 1795000000.5},
    )


def umi_options(interface: Interface) -> Description:
    """Return the description of handlers.compat.umi_ocr.get_options."""
    example = {"data.format": {"title": "数据返回格式", "default": "dict"}}
    return _drop_in(interface, "umi_options", "Umi-OCR", media_type=_UMI, example=example)


def umi_documents(interface: Interface) -> Description:
    """Return the description of handlers.compat.umi_ocr.documents, which refuses."""
    example = {"code": 900, "data": Text("Nothing is kept.", "不保存任何文件。")}
    return _drop_in(interface, "umi_documents", "Umi-OCR", example=example)


def rapidocr(interface: Interface) -> Description:
    """Return the description of handlers.compat.rapidocr_api.ocr."""
    flags = dict.fromkeys(("use_det", "use_cls", "use_rec"), _FLAG)
    return _drop_in(
        interface,
        "rapidocr",
        "rapidocr_api",
        body={_FORM: _object({"image_file": _FILE, "image_data": _BASE64, **flags})},
        example={"0": {"rec_txt": "Harbour Cafe", "dt_boxes": _BOX, "score": 0.9981}},
    )


def paddlex(interface: Interface) -> Description:
    """Return the description of handlers.compat.paddlex.ocr."""
    members = {
        "file": _BASE64,
        "fileType": {"enum": [0, 1, None]},
        "visualize": {"type": ["boolean", "null"]},
    }
    result = {"prunedResult": {"rec_texts": ["Harbour Cafe"], "rec_scores": [0.9981]}}
    return _drop_in(
        interface,
        "paddlex",
        "PaddleX",
        body={_JSON: _object(members, ("file",))},
        example={"logId": "1", "errorCode": 0, "errorMsg": "Success",
                 "result": {"ocrResults": [result]}},
    )  # fmt: skip


def open_webui(interface: Interface) -> Description:
    """Return the description of handlers.compat.open_webui.process."""
    metadata = {"page": 1, "model": "ppocrv3-det+sealed-crnn-v2"}
    return _drop_in(
        interface,
        "open_webui",
        "Open WebUI's document loader",
        body={"application/octet-stream": _FILE},
        example=[{"page_content": "Harbour Cafe", "metadata": metadata}],
    )


def ocr_space(interface: Interface) -> Description:
    """Return the description of handlers.compat.ocr_space.parse_image."""
    flags = dict.fromkeys(("isOverlayRequired", "isTable"), _FLAG)
    result = {"FileParseExitCode": 1, "ParsedText": "Harbour Cafe\r\n", "ErrorMessage": ""}
    return _drop_in(
        interface,
        "ocr_space",
        "OCR.space",
        body={
            _FORM: _object({"file": _FILE, "base64Image": _STRING, "language": _STRING, **flags})
        },
        example={"ParsedResults": [result], "OCRExitCode": 1, "IsErroredOnProcessing": False},
    )


def liteparse(interface: Interface) -> Description:
    """Return the description of handlers.compat.liteparse.ocr."""
    result = {"text": "Harbour Cafe", "bbox": [40, 32, 200, 60], "confidence": 0.9981}
    return _drop_in(
        interface,
        "liteparse",
        "LiteParse",
        body={_FORM: _object({"file": _FILE, "language": _STRING}, ("file",))},
        example={"results": [result]},
    )


def tesseract(interface: Interface) -> Description:
    """Return the description of handlers.compat.tesseract_server.tesseract."""
    data = {"exit": {"code": 0, "signal": None}, "stderr": "", "stdout": "Harbour Cafe\n\f"}
    return _drop_in(
        interface,
        "tesseract",
        "tesseract-server",
        body={_FORM: _object({"file": _FILE, "options": _STRING}, ("file", "options"))},
        example={"data": data},
    )
