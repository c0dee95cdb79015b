"""The parameters of POST /ocr: in the query, as form fields, and as JSON members.

Defaults are in the texts alone: generated clients would send a "default", in the query and in the
body, and each parameter may be given once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.description import Text
from handlers.formats.registry import formats
from handlers.openapi.line_schemas import ref
from handlers.parameters import LEAST_DPI, MOST_DPI

_FLAG = {"type": "boolean"}


_PAGES = r"[1-9][0-9]{0,5}(-([1-9][0-9]{0,5})?)?"


def _choices(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


PARAMETER_SCHEMAS: Mapping[str, dict[str, Any]] = {
    "Order": _choices("columns", "rows"),
    "Words": _choices("word", "char"),
    "PageImageKind": _choices("jpeg"),
    "FormatName": _choices(*(each.name for each in formats())),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: what it does, its schema, and an example."""

    text: Text
    schema: Mapping[str, Any]
    example: Any


PARAMETERS: Mapping[str, Parameter] = {
    "pages": Parameter(
        Text(
            "Read these pages of each file only, such as `1-3,7`; `9-` means to the end. The "
            "response then has `pages`, even for a single image.",
            "只读取每个文件的这些页，例如 `1-3,7`；`9-` 表示直到末页。"
            "此时响应中有 `pages`，即使只有一张图像。",
        ),
        {
            "type": "string",
            "format": "page-ranges",
            "maxLength": 200,
            "pattern": f"^{_PAGES}(,{_PAGES})*$",
        },
        "1",
    ),
    "detect": Parameter(
        Text(
            "`false`: treat the whole image as one horizontal line of text. Default: `true`.",
            "`false`：将整张图像视为一行横排文本。默认值：`true`。",
        ),
        _FLAG,
        example=False,
    ),
    "order": Parameter(
        Text(
            "`columns`: read columns one after the other, and tables and forms row by row. `rows`: "
            "read the whole page row by row, as one block. Default: `columns`.",
            "`columns`：逐栏读取，表格和表单逐行读取。`rows`：整页逐行读取，作为一个块。默认值：`columns`。",
        ),
        ref("Order"),
        "rows",
    ),
    "partial": Parameter(
        Text(
            "`true`: a file that cannot be read does not end the request: its problem stands in "
            "its place. Default: `false`.",
            "`true`：无法读取的文件不会使整个请求失败，其位置上是相应的问题。默认值：`false`。",
        ),
        _FLAG,
        example=True,
    ),
    "words": Parameter(
        Text(
            "Give each line its words, each with a box and a confidence. `word`: Chinese by "
            "character, Latin letters and digits by word. `char`: each character.",
            "为每行给出各个词，每个词带有位置框和置信度。`word`：中文按字，拉丁字母和数字按词。"
            "`char`：按字符。",
        ),
        ref("Words"),
        "word",
    ),
    "min_confidence": Parameter(
        Text(
            "Lines of a lower confidence keep their polygon and get `null` as text. Default: `0`.",
            "置信度低于该值的行保留多边形坐标，其 text 为 `null`。默认值：`0`。",
        ),
        {"type": "number", "minimum": 0, "maximum": 1},
        0.9,
    ),
    "page_image": Parameter(
        Text(
            "Return the pixels of each page, as the member `page_image`.",
            "返回每页的像素，即成员 `page_image`。",
        ),
        ref("PageImageKind"),
        "jpeg",
    ),
    "dpi": Parameter(
        Text(
            "The most pixels an inch of the images of pages, in a PDF or as `page_image`. The "
            "settings have the default of PDFs, and a maximum. No image has more pixels than its "
            "page.",
            "页面图像（PDF 中的，或 `page_image`）每英寸的最多像素数。"
            "PDF 的默认值和上限由设置决定。图像的像素不会多于页面本身。",
        ),
        {"type": "integer", "minimum": LEAST_DPI, "maximum": MOST_DPI},
        150,
    ),
    "format": Parameter(
        Text(
            "The format of the response, in place of Accept.",
            "响应格式，代替 Accept。",
        ),
        ref("FormatName"),
        "ndjson",
    ),
}


def in_query() -> list[dict[str, Any]]:
    """Return the parameters as OpenAPI query parameters."""
    return [
        {
            "name": name,
            "in": "query",
            "description": parameter.text,
            "schema": parameter.schema,
            "example": parameter.example,
        }
        for name, parameter in PARAMETERS.items()
    ]


def as_properties() -> dict[str, Any]:
    """Return the parameters as form fields or JSON members."""
    return {
        name: {**parameter.schema, "description": parameter.text}
        for name, parameter in PARAMETERS.items()
    }
