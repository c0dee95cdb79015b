"""The schemas of what POST /ocr returns: JSON Schema 2020-12, as OpenAPI 3.1 has it."""

from typing import Any

from handlers.description import Text
from handlers.openapi.errors import codes
from handlers.openapi.line_schemas import LINE_SCHEMAS, integer, ref
from model.reader import PageWarning

_REQUEST_ID = {
    "type": "string",
    "description": Text("The number of the request.", "请求编号。"),
}
_MODEL = {
    "type": "string",
    "description": Text("Detector and recogniser, joined by +.", "检测模型与识别模型，以 + 连接。"),
}
_PAGE: dict[str, Any] = {
    "text": {
        "type": "string",
        "description": Text(
            "The lines in reading order, separated by line feeds; an empty line between blocks.",
            "按阅读顺序排列的各行，以换行符分隔，块之间有一个空行。",
        ),
    },
    "lines": {"type": "array", "items": ref("Line")},
    "blocks": {
        "type": "array",
        "items": ref("Block"),
        "description": Text(
            "Paragraphs, columns and tables, in reading order.", "段落、栏和表格，按阅读顺序排列。"
        ),
    },
    "width": integer(Text("In pixels.", "宽度（像素）。"), minimum=1),
    "height": integer(Text("In pixels.", "高度（像素）。"), minimum=1),
    "rotation": ref("Rotation"),
    "skew": {
        "type": "number",
        "description": Text(
            "By how many degrees more they lean clockwise.", "此外再顺时针倾斜的角度。"
        ),
    },
    "warnings": {
        "type": "array",
        "items": ref("Warning"),
        "description": Text("Defects of the page's file.", "该页文件的缺陷。"),
    },
    "model": _MODEL,
    "timing_ms": ref("Timing"),
    "page_image": ref("PageImage"),
}
_PAGE_NUMBER = integer(Text("The page number, from 1.", "页码，从 1 开始。"), minimum=1)
_IMAGE_NUMBER = integer(Text("The number of the file, from 1.", "文件序号，从 1 开始。"), minimum=1)


def _object(
    properties: dict[str, Any], *, optional: tuple[str, ...] = (), description: Text
) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


_PAGES = {
    "type": "array",
    "items": {"anyOf": [ref("NumberedPage"), ref("Problem")]},
    "description": Text(
        "With partial=true the last entry may be a problem.",
        "使用 partial=true 时，最后一项可能是一个问题。",
    ),
}
_IN_ALL = {"model": _MODEL, "timing_ms": ref("Timing")}
_WITH_ID = {"request_id": _REQUEST_ID}
_DOCUMENT = {"text": _PAGE["text"], "pages": _PAGES, **_IN_ALL}
_ENTRIES = {
    "type": "array",
    "items": {"anyOf": [ref("Page"), ref("Document"), ref("Problem")]},
    "description": Text(
        "An entry for each file, in the order in which they were sent.",
        "每个文件一项，按发送顺序排列。",
    ),
}
SCHEMAS: dict[str, dict[str, Any]] = {
    **LINE_SCHEMAS,
    "Rotation": {
        "type": "integer",
        "enum": [0, 90, 180, 270],
        "description": Text(
            "By how many degrees most lines are turned clockwise.", "多数行顺时针旋转的角度。"
        ),
    },
    "Warning": {"type": "string", "enum": [str(each) for each in PageWarning]},
    "Code": {
        "type": "string",
        "enum": codes(),
        "description": Text("Which error it is. It is stable.", "错误种类，该值保持稳定。"),
    },
    "Page": _object(_PAGE, optional=("page_image",), description=Text("One page.", "一页。")),
    "NumberedPage": _object(
        {"page": _PAGE_NUMBER, **_PAGE},
        optional=("page_image",),
        description=Text("A page of a document.", "文档中的一页。"),
    ),
    "Document": _object(
        _DOCUMENT,
        description=Text(
            "A document, or any file with ?pages=.", "文档，或使用 ?pages= 的任意文件。"
        ),
    ),
    "ImageResult": _object(
        {**_PAGE, **_WITH_ID},
        optional=("page_image",),
        description=Text("The response for one image.", "单个图像的响应。"),
    ),
    "DocumentResult": _object(
        {**_DOCUMENT, **_WITH_ID},
        description=Text("The response for one document.", "单个文档的响应。"),
    ),
    "ImagesResult": _object(
        {"images": _ENTRIES, **_IN_ALL, **_WITH_ID},
        description=Text("The response for several files.", "多个文件的响应。"),
    ),
    "StreamedPage": _object(
        {"image": _IMAGE_NUMBER, "page": _PAGE_NUMBER, **_PAGE, **_WITH_ID},
        optional=("page_image",),
        description=Text("A line of a streamed response.", "流式响应中的一行。"),
    ),
    "StreamLine": {
        "anyOf": [ref("StreamedPage"), ref("Problem")],
        "description": Text(
            "A line of application/x-ndjson: a page, or, as the last line, the problem that ended "
            "the stream; with partial=true also the problem of a file.",
            "application/x-ndjson 的一行：一页；最后一行也可能是导致流提前结束的问题；"
            "使用 partial=true 时还可能是某个文件的问题。",
        ),
    },
    "Problem": {
        **_object(
            {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {
                    "type": "string",
                    "description": Text("What is wrong, and what to do.", "问题所在及解决办法。"),
                },
                "code": ref("Code"),
                **_WITH_ID,
                "image": _IMAGE_NUMBER,
                "pages_read": integer(
                    Text(
                        "How many pages were read before the time was over.", "超时前已识别的页数。"
                    ),
                    minimum=0,
                ),
                "next_pages": {
                    "type": "string",
                    "description": Text(
                        "The value of ?pages= that reads the others.",
                        "读取其余页面的 ?pages= 取值。",
                    ),
                },
                "document_pages": integer(
                    Text("How many pages the document has.", "文档的页数。"), minimum=0
                ),
                "max_pages": integer(
                    Text("How many pages a request may have.", "每次请求允许的页数。"), minimum=1
                ),
            },
            optional=("image", "pages_read", "next_pages", "document_pages", "max_pages"),
            description=Text("An error: RFC 9457.", "错误：RFC 9457。"),
        ),
    },
}
