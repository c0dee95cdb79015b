"""The whole OpenAPI document."""

import functools
import json
from typing import Any

from handlers.cached_response import Representation
from handlers.description import Text, in_language
from handlers.openapi.bodies import json_request
from handlers.openapi.errors import outside_responses
from handlers.openapi.headers import header_components
from handlers.openapi.interface import Interface
from handlers.openapi.operations import path_item
from handlers.openapi.parameters import PARAMETER_SCHEMAS
from handlers.openapi.schemas import SCHEMAS
from handlers.openapi.security import security_schemes

_TAGS = {
    "ocr": Text("Reading images and documents.", "识别图像与文档。"),
    "drop-ins": Text("In place of other OCR services.", "代替其他 OCR 服务。"),
    "state": Text("The state of the service.", "服务状态。"),
    "about": Text("The service about itself.", "服务的自述文档。"),
    "functions": Text("Further functions of this service.", "本服务的其他功能。"),
}


def document(interface: Interface) -> dict[str, Any]:
    """Return the document; each text in it is a Text."""
    first = interface.functions[0]
    paths = {each.path: path_item(interface, each) for each in interface.functions}
    _number_equal_ids(paths)
    used = {tag for item in paths.values() for each in item.values() for tag in each["tags"]}
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": "Sealed OCR",
            "version": "1",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": _introduction(interface),
        },
        "servers": [{"url": interface.origin}],
        "tags": [
            {"name": name, "description": text} for name, text in _TAGS.items() if name in used
        ],
        "paths": paths,
        "components": {
            "schemas": {**SCHEMAS, **PARAMETER_SCHEMAS, "JsonRequest": json_request(interface)},
            "responses": outside_responses(interface, first),
            "headers": header_components(interface),
            "securitySchemes": security_schemes(interface),
        },
    }


def _number_equal_ids(paths: dict[str, Any]) -> None:
    """Add a number to equal ids: of a handler at two paths, of `/read` and `/read/`."""
    taken: set[str] = set()
    for each in (operation for item in paths.values() for operation in item.values()):
        name, number = each["operationId"], 1
        while each["operationId"] in taken:
            number += 1
            each["operationId"] = f"{name}_{number}"
        taken.add(each["operationId"])


@functools.lru_cache(maxsize=4)
def localised(interface: Interface, language: int) -> dict[str, Any]:
    """Return the document in one language: 0 for English, 1 for Chinese."""
    found: dict[str, Any] = in_language(document(interface), language)
    return found


@functools.lru_cache(maxsize=4)
def serialised(interface: Interface, language: int) -> Representation:
    """Return the document in one language as JSON; computed once for each state of the settings."""
    text = json.dumps(localised(interface, language), ensure_ascii=False, separators=(",", ":"))
    return Representation.of(text.encode(), "application/json")


def _introduction(interface: Interface) -> Text:
    return Text(
        "A private OCR service: images and PDF in, text out. Nothing that is sent is stored.\n\n"
        "Errors are `application/problem+json` documents (RFC 9457) with a stable `code`, in "
        "English, or in Chinese with `Accept-Language: zh`. Every response has `X-Request-Id`. "
        f"Limits: {interface.per_key} for each key, {interface.per_address} for all keys of an "
        f"address, {interface.failed_authentications} for missing and wrong keys of an address.",
        "私有 OCR 服务：输入图像和 PDF，输出文本。发送的内容不会被保存。\n\n"
        "错误以 `application/problem+json` 文档 (RFC 9457) 返回，带有稳定的 `code`；默认为英文，"
        "使用 `Accept-Language: zh` 时为中文。每个响应都有 `X-Request-Id`。"
        f"限额：每个密钥 {interface.per_key}，每个地址的全部密钥 {interface.per_address}，"
        f"每个地址密钥缺失或错误 {interface.failed_authentications}。",
    )
