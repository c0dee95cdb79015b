"""The table of errors: the response to each exception.

A detail may name the service's limits; it never repeats what the client sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import ClientDisconnect

from handlers import errors as handler_errors
from handlers.bodies.body_problem_table import MALFORMED_BODY
from middleware import errors as middleware_errors
from model import errors as model_errors


@dataclass(frozen=True, slots=True)
class Problem:
    """The response to an exception. `{...}` in a detail is an attribute of the exception."""

    status: int
    code: str
    title: tuple[str, str]  # English, Chinese
    detail: tuple[str, str]


PROBLEMS: Mapping[type[Exception], Problem] = {
    middleware_errors.PlainHttpRefused: Problem(
        403,
        "plain_http_refused",
        ("Plain HTTP refused", "已拒绝明文 HTTP 请求"),
        (
            "The request and any API key in it were sent unencrypted. Replace the key and use "
            "HTTPS.",
            "该请求及其中的 API 密钥未经加密传输。请更换密钥，并改用 HTTPS。",
        ),
    ),
    middleware_errors.MalformedForwarding: Problem(
        400,
        "malformed_forwarding",
        ("Malformed forwarding headers", "转发标头格式错误"),
        (
            "The proxy's Forwarded, X-Forwarded-For, X-Forwarded-Proto or client certificate "
            "header is malformed.",
            "代理发送的 Forwarded、X-Forwarded-For、X-Forwarded-Proto 或客户端证书标头格式错误。",
        ),
    ),
    middleware_errors.MalformedHttp: Problem(
        400,
        "malformed_http",
        ("Malformed HTTP request", "HTTP 请求格式错误"),
        (
            "The request does not follow HTTP, for example because a header value ends with a "
            "space or a line break, or because there is no Host header.",
            "请求不符合 HTTP 规范，例如标头值末尾有空格或换行符，或缺少 Host 标头。",
        ),
    ),
    middleware_errors.HeadersTooLarge: Problem(
        431,
        "headers_too_large",
        ("Request headers too large", "请求标头过大"),
        (
            "The request line and headers together are longer than the server accepts.",
            "请求行与标头的总长度超过服务器的上限。",
        ),
    ),
    middleware_errors.TransferCodingUnknown: Problem(
        501,
        "not_implemented",
        ("Transfer coding not implemented", "不支持的传输编码"),
        (
            "The only Transfer-Encoding that the server implements is chunked.",
            "服务器只支持 Transfer-Encoding: chunked。",
        ),
    ),
    middleware_errors.WebSocketRefused: Problem(
        403,
        "websocket_refused",
        ("WebSocket refused", "已拒绝 WebSocket 连接"),
        ("The server has no WebSockets.", "服务器不提供 WebSocket。"),
    ),
    middleware_errors.NotAuthenticated: Problem(
        401,
        "not_authenticated",
        ("Authentication required", "需要身份验证"),
        (
            "Send a valid API key in the X-API-Key header or as Authorization: Bearer.",
            "请通过 X-API-Key 标头或 Authorization: Bearer 发送有效的 API 密钥。",
        ),
    ),
    middleware_errors.ScopeMissing: Problem(
        403,
        "scope_missing",
        ("Insufficient scope", "权限不足"),
        ("The API key does not have the scope {scope}.", "该 API 密钥没有 {scope} 权限。"),
    ),
    middleware_errors.FunctionNotAllowed: Problem(
        403,
        "function_not_allowed",
        ("Function not allowed", "不允许使用该功能"),
        ("The API key is not valid for {path}.", "该 API 密钥不能用于 {path}。"),
    ),
    middleware_errors.RateLimited: Problem(
        429,
        "rate_limited",
        ("Too many requests", "请求过于频繁"),
        (
            'The limit "{policy}" is used up: {limit} in {window_s} s. Retry in {retry_after_s} s.',
            "限额 {policy} 已用完：每 {window_s} 秒 {limit} 次。请在 {retry_after_s} 秒后重试。",
        ),
    ),
    middleware_errors.TooManyConcurrentRequests: Problem(
        429,
        "too_many_concurrent_requests",
        ("Too many concurrent requests", "并发请求过多"),
        (
            "The API key may have {limit} requests under way at the same time. Retry when one of "
            "them has ended.",
            "该 API 密钥最多可同时进行 {limit} 个请求，请待其中一个结束后重试。",
        ),
    ),
    middleware_errors.PagesExceedQuota: Problem(
        403,
        "pages_exceed_quota",
        ("More pages than the quota", "页数超过配额"),
        (
            "The request has {pages} pages, and the API key's whole quota {policy} is {quota} "
            "pages. Send fewer pages at a time (?pages=), or ask the operator for a larger quota.",
            "该请求有 {pages} 页，而该 API 密钥的配额 {policy} 总共只有 {quota} 页。"
            "请每次发送较少的页（?pages=），或请管理员提高配额。",
        ),
    ),
    middleware_errors.PageQuotaUsedUp: Problem(
        429,
        "page_quota_used_up",
        ("Page quota used up", "页数配额已用完"),
        (
            "Pages of the file: {pages}. Left of the API key's quota {policy}: {left} of {quota}. "
            "It is renewed on {renewed} at midnight UTC, in {retry_after_s} s.",
            "该文件的页数：{pages}。该 API 密钥的配额 {policy} 剩余：{left}/{quota}。"
            "将于 {renewed} UTC 零点（{retry_after_s} 秒后）重新开始。",
        ),
    ),
    middleware_errors.LimitStorageFailed: Problem(
        503,
        "limit_storage_failed",
        ("Rate-limit storage unavailable", "限流存储不可用"),
        (
            "The request could not be counted against its rate limits. Retry in {retry_after_s} s.",
            "无法对请求进行限流计数，请在 {retry_after_s} 秒后重试。",
        ),
    ),
    middleware_errors.AuditUnavailable: Problem(
        503,
        "audit_unavailable",
        ("Audit trail unavailable", "审计日志不可用"),
        (
            "The request could not be recorded in the audit trail, so nothing was read. Retry in "
            "{retry_after_s} s.",
            "无法将请求写入审计日志，因此未读取任何内容。请在 {retry_after_s} 秒后重试。",
        ),
    ),
    middleware_errors.BodyTooLarge: Problem(
        413,
        "body_too_large",
        ("Request body too large", "请求体过大"),
        ("The limit is {limit_bytes} bytes.", "上限为 {limit_bytes} 字节。"),
    ),
    middleware_errors.BodyTooSlow: Problem(
        408,
        "body_too_slow",
        ("Request body timeout", "接收请求体超时"),
        (
            "The request body was not complete after {limit_s} s.",
            "请求体未在 {limit_s} 秒内传输完毕。",
        ),
    ),
    middleware_errors.DeadlineExceeded: Problem(
        504,
        "deadline_exceeded",
        ("Request timeout", "请求处理超时"),
        ("The response was not ready after {limit_s} s.", "未能在 {limit_s} 秒内完成处理。"),
    ),
    handler_errors.UnknownParameter: Problem(
        400,
        "unknown_parameter",
        ("Invalid parameter", "参数无效"),
        (
            "A parameter or form field is unknown. Valid parameters, each once, in the query, as "
            "form fields or as JSON members: {takes}. Files go into form fields named image or "
            "file.",
            "存在未知的参数或表单字段。可用参数（可放在查询、表单字段或 JSON 成员中，"
            "每个只能出现一次）：{takes}。文件应放在名为 image 或 file 的表单字段中。",
        ),
    ),
    handler_errors.RepeatedParameter: Problem(
        400,
        "unknown_parameter",
        ("Invalid parameter", "参数无效"),
        (
            "The parameter {name} is given more than once: give it once, in the query, as a form "
            "field or as a JSON member. Valid parameters: {takes}.",
            "参数 {name} 出现了多次：只能在查询、表单字段或 JSON 成员中给出一次。"
            "可用参数：{takes}。",
        ),
    ),
    handler_errors.InvalidParameter: Problem(
        400,
        "unknown_parameter",
        ("Invalid parameter", "参数无效"),
        (
            "The parameter {name} has an invalid value. Valid values: {takes}.",
            "参数 {name} 的值无效。可用值：{takes}。",
        ),
    ),
    handler_errors.InvalidPages: Problem(
        400,
        "unknown_parameter",
        ("Invalid parameter", "参数无效"),
        (
            "The parameter {name} has an invalid value. It takes page numbers and ranges, counted "
            "from 1, separated by commas, for example {name}={takes}.",
            "参数 {name} 的值无效。取值为以逗号分隔的页码和页码范围，页码从 1 开始，"
            "例如 {name}={takes}。",
        ),
    ),
    handler_errors.FormatNotPartial: Problem(
        400,
        "text_not_partial",
        ("Format cannot be partial", "该格式不支持 partial"),
        (
            "The format {name} has no place for the problem of a file. With partial=true choose "
            "one of these, by format= or Accept: {takes}.",
            "{name} 格式中无法给出各文件的问题。使用 partial=true 时，请通过 format= 或 Accept "
            "选择以下格式之一：{takes}。",
        ),
    ),
    handler_errors.FormatSinglePage: Problem(
        400,
        "format_single_page",
        ("Format has one page", "该格式只能包含一页"),
        (
            "A response in the format {name} is one page. Send one file, and select one page of a "
            "document with ?pages=1.",
            "{name} 格式的响应只能包含一页。请只发送一个文件，并用 ?pages=1 选择文档中的一页。",
        ),
    ),
    handler_errors.UnsupportedBody: Problem(
        415,
        "unsupported_body",
        ("Unsupported media type", "不支持的媒体类型"),
        (
            "Send multipart/form-data with a file named image or file, an image or PDF with its "
            'own media type, or JSON {{"image": base64}}.',
            "请发送包含名为 image 或 file 的文件的 multipart/form-data、"
            "带有相应媒体类型的图像或 PDF，"
            '或 JSON {{"image": base64}}。',
        ),
    ),
    handler_errors.UnsupportedEncoding: Problem(
        415,
        "unsupported_encoding",
        ("Unsupported content encoding", "不支持的内容编码"),
        (
            "The body has a Content-Encoding ({encoding}). Send it uncompressed, without this "
            "header: images and PDF files are compressed already.",
            "请求体带有 Content-Encoding ({encoding})。请不要压缩，并去掉该标头："
            "图像和 PDF 文件本身已经过压缩。",
        ),
    ),
    **{
        cause: Problem(400, "malformed_body", ("Malformed request body", "请求体格式错误"), detail)
        for cause, detail in MALFORMED_BODY.items()
    },
    handler_errors.TooManyImages: Problem(
        413,
        "too_many_images",
        ("Too many images", "图像数量过多"),
        ("The limit is {limit} images per request.", "每次请求最多 {limit} 张图像。"),
    ),
    handler_errors.ImagesTooLarge: Problem(
        413,
        "images_too_large",
        ("Images of pages too large", "页面图像过大"),
        (
            "The images of the pages take more than {limit} bytes. Send fewer pages at a time "
            "(?pages=), ask for fewer pixels an inch (?dpi=), or for a format that is sent page by "
            "page (?format=ndjson).",
            "页面图像合计超过 {limit} 字节。请每次发送较少的页（?pages=）、降低图像分辨率"
            "（?dpi=），或使用逐页发送的格式（?format=ndjson）。",
        ),
    ),
    handler_errors.NotReady: Problem(
        503,
        "not_ready",
        ("Service not ready", "服务未就绪"),
        ("Failed checks: {failed}.", "未通过的检查：{failed}。"),
    ),
    handler_errors.OutOfTime: Problem(
        504,
        "out_of_time",
        ("Time limit reached", "已达处理时限"),
        (
            "The pages before this line are complete. Request the others with ?pages=; of a single "
            "file, next_pages has the value.",
            "此行之前的页面已识别完成，请用 ?pages= 请求其余页面；"
            "只有一个文件时，取值见 next_pages。",
        ),
    ),
    model_errors.UnsupportedImageType: Problem(
        415,
        "unsupported_image_type",
        ("Unsupported image format", "不支持的图像格式"),
        (
            "Supported formats are JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF and PDF. The format is "
            "detected from the content.",
            "支持 JPEG、PNG、WebP、AVIF、GIF、BMP、TIFF 和 PDF，格式根据文件内容判断。",
        ),
    ),
    model_errors.UnreadableImage: Problem(
        422,
        "unreadable_image",
        ("Image or document cannot be decoded", "图像或文档无法解码"),
        (
            "The file is truncated or corrupt, or decoding it exceeds the resource limits.",
            "文件不完整、已损坏，或解码所需资源超出限制。",
        ),
    ),
    model_errors.EncryptedDocument: Problem(
        422,
        "encrypted_document",
        ("Document is encrypted", "文档已加密"),
        ("Send a PDF that opens without a password.", "请发送无需密码即可打开的 PDF。"),
    ),
    model_errors.EmptyDocument: Problem(
        422,
        "empty_document",
        ("Document has no pages", "文档没有页面"),
        ("Send a PDF with at least one page.", "请发送至少包含一页的 PDF。"),
    ),
    model_errors.NoSuchPage: Problem(
        400,
        "no_such_page",
        ("Page number out of range", "页码超出范围"),
        (
            "The last page of the document is {pages}. Page numbers start at 1.",
            "文档的最后一页为第 {pages} 页，页码从 1 开始。",
        ),
    ),
    model_errors.TooManyPages: Problem(
        413,
        "too_many_pages",
        ("Too many pages", "页数过多"),
        (
            "The limit is {limit} pages per request. Select pages with ?pages=1-{limit}.",
            "每次请求最多 {limit} 页，可用 ?pages=1-{limit} 选择页面。",
        ),
    ),
    model_errors.TooManyPixels: Problem(
        413,
        "too_many_pixels",
        ("Image has too many pixels", "图像像素过多"),
        (
            "The image has {pixels} pixels; the limit is {limit}.",
            "图像有 {pixels} 像素，上限为 {limit}。",
        ),
    ),
    model_errors.ReadingTimeout: Problem(
        504,
        "reading_timeout",
        ("Page timeout", "页面处理超时"),
        (
            "Decoding or reading a page took longer than {limit_s} s.",
            "解码或识别某一页的时间超过了 {limit_s} 秒。",
        ),
    ),
    model_errors.Busy: Problem(
        503,
        "busy",
        ("Server busy", "服务器繁忙"),
        (
            "The queue is full. Retry in {retry_after_s} s.",
            "等待队列已满，请在 {retry_after_s} 秒后重试。",
        ),
    ),
    model_errors.ReaderDied: Problem(
        503,
        "reader_died",
        ("Worker process ended", "工作进程意外终止"),
        (
            "The process that read the image ended unexpectedly and is replaced. Retry.",
            "识别图像的进程意外终止，系统会启动新的进程，请重试。",
        ),
    ),
    model_errors.WeightsError: Problem(
        503,
        "weights_missing",
        ("Model weights unavailable", "模型权重不可用"),
        (
            "The weights are missing or have been modified. The service's log names the file.",
            "模型权重缺失或已被修改，服务日志中有文件名。",
        ),
    ),
    ClientDisconnect: Problem(
        400,
        "client_left",
        ("Client disconnected", "客户端已断开连接"),
        (
            "The connection closed before the request body was complete.",
            "请求体尚未传输完毕，连接即已关闭。",
        ),
    ),
    Exception: Problem(
        500,
        "internal_error",
        ("Internal server error", "服务器内部错误"),
        (
            "The error is in the service's log under the request_id.",
            "错误详情已按 request_id 记录在服务日志中。",
        ),
    ),
}

# Starlette's own exceptions, by status.
ROUTING: Mapping[int, Problem] = {
    404: Problem(
        404,
        "not_found",
        ("Not found", "未找到"),
        ("No function has this path.", "没有与该路径对应的功能。"),
    ),
    405: Problem(
        405,
        "method_not_allowed",
        ("Method not allowed", "不允许的请求方法"),
        (
            "The Allow header lists the methods of this function.",
            "Allow 标头列出了该功能支持的方法。",
        ),
    ),
}
# Any other HTTPException of a function, with its own status.
REJECTED = Problem(
    400,
    "malformed_request",
    ("Request rejected", "请求被拒绝"),
    ("The function rejected the request.", "该功能拒绝了此请求。"),
)
