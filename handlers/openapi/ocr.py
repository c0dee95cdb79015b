"""What the document says of POST /ocr."""

import inspect
from typing import Any

from handlers import errors
from handlers.bodies import body_errors
from handlers.description import Description, Text
from handlers.openapi.bodies import request_body
from handlers.openapi.errors import NEVER_SENT
from handlers.openapi.headers import references
from handlers.openapi.interface import Interface
from handlers.openapi.parameters import in_query
from handlers.openapi.response_formats import response_content
from handlers.problem_table import PROBLEMS
from middleware.errors import OF_PAGES
from model import errors as model_errors

_NOT_OF_OCR = (errors.NotReady, body_errors.FieldInvalid, body_errors.FieldMissing)
"""Of other functions."""


def ocr(interface: Interface) -> Description:
    """Return the description of handlers.ocr.recognize."""
    return Description(
        {
            "operationId": "recognize",
            "tags": ["ocr"],
            "summary": Text("Read images and documents", "识别图像与文档"),
            "description": Text(
                "Reads JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF and PDF. The format of a file is "
                "detected from its content. "
                f"A request may have {interface.max_images} files and {interface.max_pages} "
                f"pages of at most {interface.max_pixels:,} pixels; PDF pages are rendered at "
                f"{interface.pdf_dpi} dpi. Each parameter may be given once: in the query, as a "
                "form field, or as a JSON member. `?format=` chooses the format of the response, "
                "or Accept does.",
                "可读取 JPEG、PNG、WebP、AVIF、GIF、BMP、TIFF 和 PDF，格式根据文件内容判断。"
                f"每次请求最多 {interface.max_images} 个文件、{interface.max_pages} 页，"
                f"每页最多 {interface.max_pixels:,} 像素；PDF 页面以 {interface.pdf_dpi} dpi 渲染。"
                "每个参数只能给出一次：放在查询、表单字段或 JSON 成员中。"
                "响应格式由 `?format=` 或 Accept 决定。",
            ),
            "parameters": in_query(),
            "requestBody": request_body(interface),
            "responses": {
                "200": {
                    "description": Text("What was read.", "识别结果。"),
                    "headers": references("Content-Disposition", interface=interface),
                    "content": response_content(),
                }
            },
        },
        tuple(_raised()),
    )


def _raised() -> list[type[Exception]]:
    """Return what a reading can raise: every error of the request's body and of the model."""
    found: list[Any] = [
        member
        for module in (errors, body_errors, model_errors)
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__ and member in PROBLEMS
    ]
    return [
        *OF_PAGES,
        *(
            each
            for each in found
            if each not in _NOT_OF_OCR and PROBLEMS[each].code not in NEVER_SENT
        ),
    ]
