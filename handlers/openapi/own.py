"""What the document says of the service's other functions."""

from handlers.description import Description, Text
from handlers.errors import NotReady
from handlers.openapi.headers import references
from handlers.openapi.interface import Interface

_STATUS = {"type": "object", "required": ["status"]}
_ETAG = Text("It has not changed.", "文档没有变化。")


def healthz(interface: Interface) -> Description:
    """Return the description of handlers.health.healthz."""
    schema = {**_STATUS, "properties": {"status": {"const": "ok"}}}
    return Description(
        {
            "operationId": "healthz",
            "tags": ["state"],
            "summary": Text("Whether the process lives", "进程是否存活"),
            "description": Text(
                "For deciding whether to restart the process.", "用于判断是否需要重启进程。"
            ),
            "responses": {
                "200": {
                    "description": Text("It lives.", "进程存活。"),
                    "headers": references(interface=interface),
                    "content": {
                        "application/json": {"schema": schema, "example": {"status": "ok"}}
                    },
                }
            },
        }
    )


def readyz(interface: Interface) -> Description:
    """Return the description of handlers.health.readyz."""
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": {"status": {"const": "ready"}, "checks": texts, "warnings": texts},
        "required": ["status", "checks"],
    }
    example = {"status": "ready", "checks": {"weights": "ok", "engine": "ok"}}
    return Description(
        {
            "operationId": "readyz",
            "tags": ["state"],
            "summary": Text("Whether the service can read", "服务能否识别"),
            "description": Text(
                "For deciding whether to send requests to this instance. 503 names the checks that "
                "failed.",
                "用于判断是否可以向该实例发送请求。503 会列出未通过的检查。",
            ),
            "responses": {
                "200": {
                    "description": Text(
                        "It can; warnings need attention.", "可以识别；warnings 需要关注。"
                    ),
                    "headers": references(interface=interface),
                    "content": {"application/json": {"schema": schema, "example": example}},
                }
            },
        },
        (NotReady,),
    )


def metrics(interface: Interface) -> Description:
    """Return the description of handlers.metrics.metrics."""
    example = 'sealed_ocr_pages_total{key="accounting"} 1234.0\n'
    return Description(
        {
            "operationId": "metrics",
            "tags": ["state"],
            "summary": Text("Numbers for Prometheus", "供 Prometheus 采集的指标"),
            "responses": {
                "200": {
                    "description": Text("Prometheus's text format.", "Prometheus 文本格式。"),
                    "headers": references(interface=interface),
                    "content": {"text/plain": {"schema": {"type": "string"}, "example": example}},
                }
            },
        }
    )


def openapi(interface: Interface) -> Description:
    """Return the description of handlers.api_document.openapi."""
    return Description(
        {
            "operationId": "openapi",
            "tags": ["about"],
            "summary": Text("This document", "本文档"),
            "responses": {
                "200": {
                    "description": Text("An OpenAPI 3.1 document.", "OpenAPI 3.1 文档。"),
                    "headers": references("ETag", "Content-Language", interface=interface),
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "required": ["openapi", "paths"]}
                        }
                    },
                },
                "304": {"description": _ETAG, "headers": references("ETag", interface=interface)},
            },
        }
    )


def docs(interface: Interface) -> Description:
    """Return the description of handlers.docs.docs."""
    return Description(
        {
            "operationId": "docs",
            "tags": ["about"],
            "summary": Text("This document, to be read by people", "供人阅读的本文档"),
            "responses": {
                "200": {
                    "description": Text("A page in HTML.", "HTML 页面。"),
                    "headers": references("ETag", "Content-Language", interface=interface),
                    "content": {"text/html": {"schema": {"type": "string"}}},
                },
                "304": {"description": _ETAG, "headers": references("ETag", interface=interface)},
            },
        }
    )


def page(interface: Interface) -> Description:
    """Return the description of handlers.web.page."""
    return _file(interface, "page", Text("The page for people", "供人使用的页面"), "text/html")


def asset(interface: Interface) -> Description:
    """Return the description of handlers.web.asset."""
    return _file(interface, "asset", Text("A file of the pages", "页面所用的文件"), "*/*")


def _file(interface: Interface, name: str, summary: Text, media_type: str) -> Description:
    headers = references("ETag", interface=interface)
    found = {
        "description": Text("The file.", "文件内容。"),
        "headers": headers,
        "content": {media_type: {"schema": {"type": "string"}}},
    }
    return Description(
        {
            "operationId": name,
            "tags": ["about"],
            "summary": summary,
            "responses": {"200": found, "304": {"description": _ETAG, "headers": headers}},
        }
    )
