"""The details of `malformed_body`: a text for each cause, in both languages, with the remedy."""

from collections.abc import Mapping

from handlers.bodies import body_errors as errors
from handlers.parameters import NAMES

_MEMBERS = ("image", "images", *sorted(NAMES))
_ENGLISH, _CHINESE = ", ".join(_MEMBERS), "、".join(_MEMBERS)

MALFORMED_BODY: Mapping[type[Exception], tuple[str, str]] = {
    errors.EmptyBody: (
        "The request body is empty. Send the bytes of the file.",
        "请求体为空。请发送文件内容。",
    ),
    errors.BoundaryMissing: (
        "The Content-Type multipart/form-data has no boundary, or one of more than 256 bytes. Let "
        "the HTTP library set the Content-Type of the form.",
        "Content-Type multipart/form-data 中没有 boundary，或其长度超过 256 字节。"
        "请让 HTTP 库自行设置表单的 Content-Type。",
    ),
    errors.BoundaryNotFound: (
        "No line of the body is the boundary that the Content-Type names. Let the HTTP library set "
        "the Content-Type of the form.",
        "请求体中没有 Content-Type 所指定的 boundary 行。请让 HTTP 库自行设置表单的 Content-Type。",
    ),
    errors.BareLineFeeds: (
        "The lines of the multipart body end with LF. End the boundaries and headers with CR LF "
        "(RFC 2046, section 4.1.1).",
        "multipart 请求体的行以 LF 结尾。"
        "boundary 行和标头行应以 CR LF 结尾（RFC 2046 第 4.1.1 节）。",
    ),
    errors.MultipartCutShort: (
        "The body ends in part {part}, before the closing boundary. Send the whole body.",
        "请求体在第 {part} 个部分处结束，缺少结尾的 boundary。请发送完整的请求体。",
    ),
    errors.PartMalformed: (
        "The multipart body is malformed at byte {position}, in part {part}. A part has at most 8 "
        "headers of at most 4 KiB, and boundaries and headers end with CR LF.",
        "multipart 请求体在第 {position} 字节（第 {part} 个部分）处格式错误。"
        "每个部分最多 8 个标头，每个标头最长 4 KiB，boundary 行和标头行以 CR LF 结尾。",
    ),
    errors.PartUnnamed: (
        "Part {part} has no name. Give it the header Content-Disposition: form-data with the name "
        "image or file.",
        "第 {part} 个部分没有名称。"
        "请添加标头 Content-Disposition: form-data，并将 name 设为 image 或 file。",
    ),
    errors.PartIsText: (
        "Part {part} is named image or file but is a text field: it has no file name, and no media "
        "type of an image or PDF. With curl, write -F image=@FILE. Base64 is accepted in JSON "
        "only.",
        "第 {part} 个部分名为 image 或 file，却是文本字段：没有文件名，也没有图像或 PDF "
        "的媒体类型。使用 curl 时请写 -F image=@FILE。Base64 只能放在 JSON 中发送。",
    ),
    errors.PartIsUrl: (
        "Part {part} holds a URL. URLs are never fetched: send the file itself.",
        "第 {part} 个部分是 URL。本服务不会抓取 URL，请发送文件本身。",
    ),
    errors.NoImagePart: (
        "No part is named image or file. Files with other names: {files}; text fields: {fields}. "
        "Name the part of the file image or file.",
        "没有名为 image 或 file 的部分。其他名称的文件：{files} 个；文本字段：{fields} 个。"
        "请将文件部分命名为 image 或 file。",
    ),
    errors.OtherFiles: (
        "Files that are not named image or file: {others}. Name each file's part image or file.",
        "有 {others} 个文件的名称不是 image 或 file。请将每个文件部分命名为 image 或 file。",
    ),
    errors.NoFileChosen: (
        "The form was sent without a file: no file was chosen.",
        "提交的表单中没有选择文件。",
    ),
    errors.JsonMalformed: (
        "The body is not valid JSON: the error is at byte {position}.",
        "请求体不是有效的 JSON，错误位于第 {position} 字节。",
    ),
    errors.JsonNotObject: (
        'The JSON is not an object. Send {{"image": base64}} or {{"images": [base64, ...]}}.',
        'JSON 不是对象。请发送 {{"image": base64}} 或 {{"images": [base64, ...]}}。',
    ),
    errors.JsonWithoutImage: (
        'The JSON has no image. Send {{"image": base64}} or {{"images": [base64, ...]}}.',
        'JSON 中没有图像。请发送 {{"image": base64}} 或 {{"images": [base64, ...]}}。',
    ),
    errors.JsonMemberUnknown: (
        f"The JSON has an unknown member. Valid members: {_ENGLISH}.",
        f"JSON 中有未知成员。可用成员：{_CHINESE}。",
    ),
    errors.JsonMemberForeign: (
        f"The JSON has the unknown member {{member}}. Valid members: {_ENGLISH}.",
        f"JSON 中有未知成员 {{member}}。可用成员：{_CHINESE}。",
    ),
    errors.JsonMemberRepeated: (
        "The JSON has the member {member} twice. Send several images as "
        '{{"images": [base64, ...]}}.',
        'JSON 中成员 {member} 重复。请用 {{"images": [base64, ...]}} 发送多张图像。',
    ),
    errors.JsonImageNotString: (
        "Image {image} in the JSON is not a string. Send each image as a string of base64.",
        "JSON 中第 {image} 张图像不是字符串。请将每张图像作为 Base64 字符串发送。",
    ),
    errors.JsonImagesNotList: (
        'The JSON member images is not a list. Send {{"images": [base64, ...]}}.',
        'JSON 成员 images 不是列表。请发送 {{"images": [base64, ...]}}。',
    ),
    errors.FieldMissing: (
        "The field {name} is missing.",
        "缺少字段 {name}。",
    ),
    errors.FieldInvalid: (
        "The field {name} is invalid. It takes {takes}.",
        "字段 {name} 无效，应为 {takes}。",
    ),
    errors.EmptyImage: (
        "Image {image} is empty. Send the bytes of the file.",
        "第 {image} 张图像为空。请发送文件内容。",
    ),
    errors.ImageIsUrl: (
        "Image {image} is a URL. URLs are never fetched: send the file itself.",
        "第 {image} 张图像是 URL。本服务不会抓取 URL，请发送文件本身。",
    ),
    errors.NotBase64: (
        "Image {image} is not base64: the error is at character {position} of the string.",
        "第 {image} 张图像不是有效的 Base64，错误位于字符串的第 {position} 个字符。",
    ),
    errors.Base64CutShort: (
        "Image {image} is not complete base64: a character is missing at its end, or the padding "
        "with = is wrong.",
        "第 {image} 张图像的 Base64 不完整：末尾缺少字符，或 = 填充有误。",
    ),
}
