"""The one table of errors: which exception is answered how.

A detail may name our limits; it never repeats what the caller sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import ClientDisconnect

from handlers import errors as function
from middleware import errors as envelope
from model import errors as reading


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer to an exception; `{...}` in a detail is an attribute of the exception."""

    status: int
    code: str
    title: tuple[str, str]  # English, Chinese
    detail: tuple[str, str]


PROBLEMS: Mapping[type[Exception], Problem] = {
    envelope.PlainHttpRefused: Problem(
        403,
        "plain_http_refused",
        ("Plain HTTP is refused", "拒绝明文 HTTP"),
        (
            "This request crossed the network unencrypted. Replace the key it carried and use "
            "HTTPS.",
            "该请求未经加密传输。请更换其中的密钥，并改用 HTTPS。",
        ),
    ),
    envelope.MalformedForwarding: Problem(
        400,
        "malformed_forwarding",
        ("The proxy's headers are malformed", "代理转发头格式错误"),
        (
            "Forwarded, or X-Forwarded-For and -Proto, or the certificate's header, do not follow "
            "their grammar.",
            "Forwarded、X-Forwarded-For、X-Forwarded-Proto 或证书头不符合语法。",
        ),
    ),
    envelope.NotAuthenticated: Problem(
        401,
        "not_authenticated",
        ("A valid API key is needed", "需要有效的 API 密钥"),
        (
            "Send the key as X-API-Key or as Authorization: Bearer.",
            "请通过 X-API-Key 或 Authorization: Bearer 发送密钥。",
        ),
    ),
    envelope.ScopeMissing: Problem(
        403,
        "scope_missing",
        ("The key may not do this", "密钥权限不足"),
        ("The key lacks the scope {scope}.", "密钥缺少权限 {scope}。"),
    ),
    envelope.RateLimited: Problem(
        429,
        "rate_limited",
        ("Too many requests", "请求过于频繁"),
        ("Try again in {retry_after_s} s.", "请在 {retry_after_s} 秒后重试。"),
    ),
    envelope.LimitStorageFailed: Problem(
        503,
        "limit_storage_failed",
        ("The request cannot be counted", "暂时无法计数请求"),
        (
            "The rate limits' storage does not answer. Try again shortly.",
            "限流存储没有响应，请稍后重试。",
        ),
    ),
    envelope.BodyTooLarge: Problem(
        413,
        "body_too_large",
        ("The body is too large", "请求体过大"),
        ("At most {limit_bytes} bytes are taken.", "最多接受 {limit_bytes} 字节。"),
    ),
    envelope.BodyTooSlow: Problem(
        408,
        "body_too_slow",
        ("The body took too long to arrive", "请求体传输超时"),
        ("It must be complete within {limit_s} s.", "请求体须在 {limit_s} 秒内传完。"),
    ),
    envelope.DeadlineExceeded: Problem(
        504,
        "deadline_exceeded",
        ("The answer was not ready in time", "处理超时"),
        ("It was given {limit_s} s.", "处理时限为 {limit_s} 秒。"),
    ),
    function.UnknownParameter: Problem(
        400,
        "unknown_parameter",
        ("The query is not taken as it is", "查询参数有误"),
        ("This function takes: {takes}.", "可用参数：{takes}。"),
    ),
    function.UnsupportedBody: Problem(
        415,
        "unsupported_body",
        ("This kind of body is not taken", "不支持的请求体类型"),
        (
            "Send multipart/form-data with image or file, an image or PDF as it is with its type, "
            'or JSON {{"image": base64}}.',
            "请发送含 image 或 file 的 multipart/form-data、带类型的原始图像或 PDF，或 JSON "
            '{{"image": base64}}。',
        ),
    ),
    function.MalformedBody: Problem(
        400,
        "malformed_body",
        ("The body is malformed", "请求体格式错误"),
        (
            "No image was found in it as its Content-Type promises: multipart parts image or "
            'file (with a file name), the raw image, or JSON {{"image": base64}}.',
            "未能按 Content-Type 找到图像：multipart 的 image 或 file（须带文件名）、原始图像，"
            '或 JSON {{"image": base64}}。',
        ),
    ),
    function.TooManyImages: Problem(
        413,
        "too_many_images",
        ("Too many images", "图像过多"),
        ("At most {limit} images are taken in a request.", "每次请求最多 {limit} 张图像。"),
    ),
    function.NotReady: Problem(
        503,
        "not_ready",
        ("The service is not ready", "服务尚未就绪"),
        ("Failed: {failed}.", "未通过：{failed}。"),
    ),
    function.OutOfTime: Problem(
        504,
        "out_of_time",
        ("The pages were not read in time", "未能在时限内识别所有页面"),
        (
            "Those before this line were. Ask for the rest with ?pages=.",
            "此行之前的页面已识别，其余页面请用 ?pages= 指定。",
        ),
    ),
    reading.UnsupportedImageType: Problem(
        415,
        "unsupported_image_type",
        ("This kind of image is not read", "不支持的图像类型"),
        (
            "JPEG, PNG, WebP, GIF, BMP, TIFF and PDF are; the content decides.",
            "支持 JPEG、PNG、WebP、GIF、BMP、TIFF 和 PDF；以内容而非名称为准。",
        ),
    ),
    reading.UnreadableImage: Problem(
        422,
        "unreadable_image",
        ("The image or document cannot be read", "图像或文档无法读取"),
        (
            "It is truncated or corrupt, or asks for more than decoding it may take.",
            "文件不完整、已损坏，或解码所需资源超出限制。",
        ),
    ),
    reading.EncryptedDocument: Problem(
        422,
        "encrypted_document",
        ("The document is encrypted", "文档已加密"),
        ("Send a PDF that opens without a password.", "请发送无需密码即可打开的 PDF。"),
    ),
    reading.EmptyDocument: Problem(
        422,
        "empty_document",
        ("The document is empty", "文档为空"),
        ("The PDF has no pages.", "该 PDF 不含任何页面。"),
    ),
    reading.NoSuchPage: Problem(
        400,
        "no_such_page",
        ("The document has no such page", "页码超出范围"),
        ("It has {pages}; they are counted from 1.", "文档共 {pages} 页，页码从 1 开始。"),
    ),
    reading.TooManyPages: Problem(
        413,
        "too_many_pages",
        ("Too many pages", "页数过多"),
        (
            "At most {limit} are read in a request; choose some with ?pages=1-{limit}.",
            "每次请求最多识别 {limit} 页，可用 ?pages=1-{limit} 指定页码。",
        ),
    ),
    reading.TooManyPixels: Problem(
        413,
        "too_many_pixels",
        ("The image has too many pixels", "图像像素过多"),
        ("It has {pixels}; at most {limit} are read.", "共 {pixels} 像素，最多 {limit}。"),
    ),
    reading.ReadingTimeout: Problem(
        504,
        "reading_timeout",
        ("The page took too long", "页面处理超时"),
        ("A step of it was given {limit_s} s.", "其中一步的时限为 {limit_s} 秒。"),
    ),
    reading.Busy: Problem(
        503,
        "busy",
        ("All places are taken", "服务繁忙"),
        ("Try again in {retry_after_s} s.", "请在 {retry_after_s} 秒后重试。"),
    ),
    reading.ReaderDied: Problem(
        503,
        "reader_died",
        ("The reading was cut short", "识别中断"),
        (
            "The process that read the image ended; another takes its place.",
            "识别进程意外结束，新进程已接替。",
        ),
    ),
    reading.WeightsError: Problem(
        503,
        "weights_missing",
        ("The model is not in place", "模型文件缺失"),
        (
            "The weights are missing or were changed; the operator's log names the file.",
            "模型权重缺失或已被更改，详见运行日志。",
        ),
    ),
    ClientDisconnect: Problem(
        400,
        "client_left",
        ("The client left", "客户端已断开"),
        ("The request ended before its body did.", "请求体未传完，连接已断开。"),
    ),
    Exception: Problem(
        500,
        "internal_error",
        ("The service failed", "服务内部错误"),
        (
            "The fault is ours; the log has it under the request_id.",
            "这是服务自身的错误，日志中已按 request_id 记录。",
        ),
    ),
}

# Starlette's own, by status; RFC 9110 names them.
ROUTING: Mapping[int, Problem] = {
    404: Problem(
        404,
        "not_found",
        ("There is no such function", "没有此功能"),
        ("No function has this path.", "没有对应该路径的功能。"),
    ),
    405: Problem(
        405,
        "method_not_allowed",
        ("The function does not take this method", "不支持此方法"),
        ("The Allow header lists those it takes.", "支持的方法见 Allow 标头。"),
    ),
}
REFUSED = Problem(
    400,
    "malformed_request",
    ("The request is refused", "请求被拒绝"),
    ("The function does not take it as it is.", "该功能不接受此请求。"),
)
