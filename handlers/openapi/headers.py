"""The headers of responses, as in OpenAPI."""

from typing import Any

from handlers.description import Text
from handlers.openapi.interface import Interface

_STRING = {"type": "string"}


def _header(text: Text, example: str, *, required: bool = False) -> dict[str, Any]:
    whole = {"description": text, "schema": _STRING, "example": example}
    return {**whole, "required": True} if required else whole


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _header(
        Text(
            "The number of the request. The log has it, too: name it when you report an error.",
            "请求编号，服务日志中也有。报告错误时请提供。",
        ),
        "2372716cac14ede1",
        required=True,
    ),
    "RateLimit-Policy": _header(
        Text(
            "The limits that the request counted against: name, requests (q), seconds (w). "
            "draft-ietf-httpapi-ratelimit-headers",
            "本次请求所计入的限额：名称、请求数 (q)、秒数 (w)。"
            "draft-ietf-httpapi-ratelimit-headers",
        ),
        '"key";q=60;w=60',
    ),
    "RateLimit": _header(
        Text(
            "What is left of each limit: requests (r), and seconds until the oldest counted "
            "request leaves the window (t).",
            "各限额的剩余量：剩余请求数 (r)，以及最早计入的请求移出窗口前的秒数 (t)。",
        ),
        '"key";r=58;t=59',
    ),
    "Retry-After": _header(Text("Seconds after which to try again.", "多少秒后可以重试。"), "42"),
    "WWW-Authenticate": _header(
        Text("How to authenticate: RFC 9110.", "身份验证方式：RFC 9110。"),
        'Bearer realm="sealed-ocr"',
        required=True,
    ),
    "Accept-Encoding": _header(
        Text(
            "With unsupported_encoding: send the body uncompressed.",
            "仅随 unsupported_encoding 出现：请发送未压缩的请求体。",
        ),
        "identity",
    ),
    "Allow": _header(Text("The methods of the function.", "该功能支持的方法。"), "OPTIONS, POST"),
    "Content-Language": _header(
        Text("The language of title and detail.", "title 与 detail 的语言。"), "en"
    ),
    "Content-Disposition": _header(
        Text("A file name, for saving the response.", "保存响应时的文件名。"),
        'inline; filename="ocr.json"',
    ),
    "ETag": _header(
        Text("The version of the document, for If-None-Match.", "文档版本，用于 If-None-Match。"),
        '"5d41402abc4b2a76"',
    ),
    "Strict-Transport-Security": _header(
        Text("Over HTTPS: RFC 6797.", "经 HTTPS 访问时：RFC 6797。"), "max-age=63072000"
    ),
    "Cache-Control": _header(
        Text("Whether the response may be stored.", "响应可否被缓存。"), "no-store"
    ),
    "X-Content-Type-Options": _header(
        Text("The Content-Type is what it says.", "应以 Content-Type 为准。"), "nosniff"
    ),
    "Content-Security-Policy": _header(
        Text("What a browser may load for the response.", "浏览器可为该响应加载的内容。"),
        "default-src 'none'; frame-ancestors 'none'",
    ),
    "Referrer-Policy": _header(
        Text("What a browser tells others of the address.", "浏览器可向外透露的来源地址。"),
        "no-referrer",
    ),
}
_CORS_HEADERS = {
    "Access-Control-Allow-Origin": _header(
        Text(
            "The page's origin, if the settings allow it ([cors] origins).",
            "网页的来源，仅当设置 ([cors] origins) 允许时出现。",
        ),
        "https://intranet.example.org",
    ),
    "Access-Control-Expose-Headers": _header(
        Text("The headers that a script may read.", "脚本可以读取的标头。"),
        "RateLimit, Retry-After",
    ),
    "Vary": _header(
        Text("The request headers that the response depends on.", "响应所依据的请求标头。"),
        "Origin",
    ),
}
_EVERYWHERE = (
    "X-Request-Id",
    "RateLimit-Policy",
    "RateLimit",
    "Strict-Transport-Security",
    "Cache-Control",
    "X-Content-Type-Options",
    "Content-Security-Policy",
    "Referrer-Policy",
)


def header_components(interface: Interface) -> dict[str, dict[str, Any]]:
    """Return every header that a response may have."""
    return {**HEADERS, **_CORS_HEADERS} if interface.cors else HEADERS


def references(*names: str, interface: Interface) -> dict[str, Any]:
    """Return references to the headers of every response, and to those named."""
    found = (*_EVERYWHERE, *(_CORS_HEADERS if interface.cors else ()), *names)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in found}
