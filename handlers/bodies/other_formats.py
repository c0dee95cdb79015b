"""What an upload is that is in no supported format, and how to make one of it: English, Chinese.

The keys are the values of model.other_formats.OtherFormat.
"""

from collections.abc import Mapping

_TO_IMAGE = ("Convert it to PNG or JPEG.", "请转换为 PNG 或 JPEG。")
_TO_PDF = ("Export it as PDF and send that.", "请导出为 PDF 后发送。")
_UNPACK = ("Unpack it and send the files in it.", "请解压后发送其中的文件。")
_FRAMES = (
    "Send single frames of it as PNG or JPEG.",
    "请将其中的画面存为 PNG 或 JPEG 后逐张发送。",
)
_ALREADY_TEXT = (
    "It is text already: there is nothing to recognise.",
    "其内容已是文本，无需识别。",
)

_FORMATS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "heic": (
        ("a HEIC image", "HEIC 图像"),
        (
            "Convert it to JPEG. An iPhone takes JPEG with Settings, Camera, Formats, Most "
            "Compatible.",
            "请转换为 JPEG。在 iPhone 上，可在“设置 - 相机 - 格式”中选择“兼容性最佳”。",
        ),
    ),
    "jpeg_xl": (("a JPEG XL image", "JPEG XL 图像"), _TO_IMAGE),
    "jpeg_2000": (("a JPEG 2000 image", "JPEG 2000 图像"), _TO_IMAGE),
    "psd": (("a Photoshop file (PSD)", "Photoshop 文件 (PSD)"), _TO_IMAGE),
    "ico": (("an icon (ICO)", "图标文件 (ICO)"), _TO_IMAGE),
    "pnm": (("a PNM image (PBM, PGM or PPM)", "PNM 图像 (PBM、PGM 或 PPM)"), _TO_IMAGE),
    "djvu": (("a DjVu document", "DjVu 文档"), ("Convert it to PDF.", "请转换为 PDF。")),
    "svg": (
        ("an SVG image", "SVG 图像"),
        ("Render it as PNG, or print it to PDF.", "请渲染为 PNG，或打印为 PDF。"),
    ),
    "postscript": (
        ("a PostScript file", "PostScript 文件"),
        ("Convert it to PDF.", "请转换为 PDF。"),
    ),
    "video": (("a video", "视频"), _FRAMES),
    "docx": (("a Word document (DOCX)", "Word 文档 (DOCX)"), _TO_PDF),
    "xlsx": (("an Excel workbook (XLSX)", "Excel 工作簿 (XLSX)"), _TO_PDF),
    "pptx": (("a PowerPoint presentation (PPTX)", "PowerPoint 演示文稿 (PPTX)"), _TO_PDF),
    "office_97": (
        ("a file of an older Microsoft Office (DOC, XLS, PPT or MSG)",
         "旧版 Microsoft Office 文件 (DOC、XLS、PPT 或 MSG)"),
        _TO_PDF,
    ),
    "opendocument": (("an OpenDocument file", "OpenDocument 文件"), _TO_PDF),
    "epub": (("an EPUB book", "EPUB 电子书"), ("Convert it to PDF.", "请转换为 PDF。")),
    "rtf": (("an RTF document", "RTF 文档"), _TO_PDF),
    "zip": (("a ZIP archive", "ZIP 压缩包"), _UNPACK),
    "archive": (("a compressed file or archive", "压缩文件或归档文件"), _UNPACK),
    "html": (
        ("an HTML page", "HTML 网页"),
        (
            "Send an image, or print the page to PDF. If it came from a download, it may be an "
            "error page.",
            "请发送图像，或将网页打印为 PDF。如果是下载所得，它可能是错误页面。",
        ),
    ),
    "json": (
        ("JSON", "JSON"),
        (
            'Send JSON with Content-Type: application/json, as {"image": base64}.',
            '请使用 Content-Type: application/json 发送 JSON，格式为 {"image": base64}。',
        ),
    ),
    "base64": (
        ("base64 text", "base64 文本"),
        (
            'Decode it, or send JSON {"image": base64} with Content-Type: application/json.',
            '请先解码，或使用 Content-Type: application/json 发送 JSON {"image": base64}。',
        ),
    ),
    "url": (
        ("a URL", "网址"),
        ("URLs are never fetched: send the file itself.", "服务不会访问网址，请发送文件本身。"),
    ),
    "text": (("plain text", "纯文本"), _ALREADY_TEXT),
}  # fmt: skip
_SUPPORTED = (
    "Supported formats are JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF and PDF.",
    "支持 JPEG、PNG、WebP、AVIF、GIF、BMP、TIFF 和 PDF。",
)

OTHER_FORMATS: Mapping[str, tuple[str, str]] = {
    found: (
        f"The file is {name[0]}. {remedy[0]} {_SUPPORTED[0]}",
        f"该文件是{name[1]}。{remedy[1]}{_SUPPORTED[1]}",
    )
    for found, (name, remedy) in _FORMATS.items()
}
"""The detail of the error response for a file of each format."""

DECLARED_FORMATS: Mapping[str, tuple[str, str]] = {
    found: (
        f"The Content-Type is that of {name[0]}. {remedy[0]} {_SUPPORTED[0]}",
        f"Content-Type 表明该文件是{name[1]}。{remedy[1]}{_SUPPORTED[1]}",
    )
    for found, (name, remedy) in _FORMATS.items()
}
"""The detail for a body whose media type is that of each format."""

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES: Mapping[str, str] = {
    f"{_OPEN_XML}wordprocessingml.document": "docx",
    f"{_OPEN_XML}spreadsheetml.sheet": "xlsx",
    f"{_OPEN_XML}presentationml.presentation": "pptx",
    "application/msword": "office_97",
    "application/vnd.ms-excel": "office_97",
    "application/vnd.ms-powerpoint": "office_97",
    "application/vnd.ms-outlook": "office_97",
    "application/vnd.oasis.opendocument.text": "opendocument",
    "application/vnd.oasis.opendocument.spreadsheet": "opendocument",
    "application/vnd.oasis.opendocument.presentation": "opendocument",
    "application/epub+zip": "epub",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "application/zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/gzip": "archive",
    "application/x-tar": "archive",
    "application/x-7z-compressed": "archive",
    "application/vnd.rar": "archive",
    "application/postscript": "postscript",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "video/mp4": "video",
    "video/quicktime": "video",
}
"""The media types of some of these formats (IANA's, and those that browsers send)."""
