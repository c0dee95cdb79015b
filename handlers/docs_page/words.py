"""The words of the page that are not in the document: English, Chinese."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "accept": ("Media type", "媒体类型"),
    "api": ("API", "API"),
    "authentication": ("Authentication", "身份验证"),
    "base_url": ("Address", "地址"),
    "bodies": ("Request body", "请求体"),
    "body": ("Body", "请求体"),
    "bytes": ("bytes", "字节"),
    "certificate": ("client certificate", "客户端证书"),
    "code": ("Code", "代码"),
    "contents": ("Contents", "目录"),
    "description": ("Description", "说明"),
    "each_format": ("In each format", "以各种格式"),
    "errors": ("Errors", "错误"),
    "example": ("Example", "示例"),
    "examples": ("Examples", "示例"),
    "form": (
        "Files named `image` or `file`; text fields are parameters.",
        "名为 `image` 或 `file` 的文件；文本字段为参数。",
    ),
    "formats": ("Response formats", "响应格式"),
    "function_errors": ("Errors of this function", "该功能的错误"),
    "header": ("Header", "标头"),
    "headers": ("Response headers", "响应标头"),
    "json_document": ("OpenAPI document", "OpenAPI 文档"),
    "json_request": (
        "`image` as base64, or a list `images`; other members are parameters.",
        "Base64 编码的 `image`，或列表 `images`；其他成员为参数。",
    ),
    "key": ("Key", "密钥"),
    "key_text": (
        "Send an API key in one of these headers. The commands below take it from `OCR_KEY`.",
        "请在以下标头之一中发送 API 密钥。以下命令从变量 `OCR_KEY` 中读取密钥。",
    ),
    "limits": ("Limits", "限额"),
    "member": ("Member", "成员"),
    "none": ("none", "不需要"),
    "optional": ("optional", "可选"),
    "other_language": ("中文", "English"),
    "page": ("Read a file in the browser", "在浏览器中识别"),
    "parameter": ("Parameter", "参数"),
    "parameters": ("Parameters", "参数"),
    "per_address": ("per address", "每个地址"),
    "per_key": ("per key", "每个密钥"),
    "per_key_in_all": ("per key, all functions", "每个密钥，所有功能合计"),
    "raw_file": ("The file itself.", "文件本身。"),
    "results": ("Results", "结果"),
    "scope": ("scope", "权限"),
    "seconds": ("s", "秒"),
    "skip": ("Skip to the content", "跳到正文"),
    "members_of": ("The members of", "包含以下对象的全部成员："),
    "status": ("Status", "状态码"),
    "stop": (". ", "。"),
    "time": ("Time", "时间"),
    "type": ("Type", "类型"),
    "values": ("Values", "取值"),
}


def words(language: int) -> dict[str, str]:
    """Return the words of one language: 0 for English, 1 for Chinese."""
    return {name: texts[language] for name, texts in WORDS.items()}
