"""The schemas of the parts of a page: lines, words, blocks, cells, times."""

from typing import Any

from handlers.description import Text


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def integer(description: Text, *, minimum: int) -> dict[str, Any]:
    """Return the schema of a whole number of at least `minimum`."""
    return {"type": "integer", "minimum": minimum, "description": description}


_INDICES = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0},
    "description": Text("Indices of lines, from 0.", "行的序号，从 0 开始。"),
}
_CONFIDENCE = {
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "description": Text("The probability that it is right.", "识别正确的概率。"),
}
_TEXT = {"type": "string", "description": Text("The text.", "文本。")}
_STEPS = {
    "decode": Text("Decoding the file.", "解码文件。"),
    "queue": Text("Waiting for a process.", "等待处理进程。"),
    "detect": Text("Finding the lines.", "检测文本行。"),
    "recognise": Text("Reading the lines.", "识别文本行。"),
    "total": Text("In all.", "总计。"),
}
LINE_SCHEMAS: dict[str, dict[str, Any]] = {
    "Point": {
        "type": "array",
        "items": {"type": "integer"},
        "minItems": 2,
        "maxItems": 2,
        "description": Text("x and y in pixels of the page.", "页面上的像素坐标 x、y。"),
    },
    "Polygon": {
        "type": "array",
        "items": ref("Point"),
        "minItems": 4,
        "maxItems": 4,
        "description": Text(
            "Four points, clockwise from the top left corner of the text.",
            "四个点，从文本左上角起顺时针排列。",
        ),
    },
    "Word": {
        "type": "object",
        "description": Text("A word or a character.", "一个词或一个字符。"),
        "properties": {
            "text": _TEXT,
            "confidence": _CONFIDENCE,
            "polygon": ref("Polygon"),
        },
        "required": ["text", "confidence", "polygon"],
    },
    "Line": {
        "type": "object",
        "description": Text("A line of text.", "一行文本。"),
        "properties": {
            "text": {
                "type": ["string", "null"],
                "description": Text(
                    "null: its confidence is below min_confidence.",
                    "为 null 时，置信度低于 min_confidence。",
                ),
            },
            "confidence": _CONFIDENCE,
            "polygon": ref("Polygon"),
            "words": {
                "type": "array",
                "items": ref("Word"),
                "description": Text("Only with ?words=.", "仅在使用 ?words= 时出现。"),
            },
        },
        "required": ["text", "confidence", "polygon"],
    },
    "PageImage": {
        "type": "object",
        "description": Text("The pixels of a page.", "一页的像素。"),
        "properties": {
            "media_type": {
                "type": "string",
                "enum": ["image/jpeg", "image/png"],
                "description": Text("The format of the image.", "图像的格式。"),
            },
            "data": {
                "type": "string",
                "contentEncoding": "base64",
                "description": Text("The file, as base64.", "Base64 编码的文件。"),
            },
        },
        "required": ["media_type", "data"],
    },
    "Cell": {
        "type": "object",
        "description": Text("A cell of a table.", "表格的一个单元格。"),
        "properties": {
            "row": integer(Text("Its first row, from 0.", "起始行，从 0 开始。"), minimum=0),
            "column": integer(Text("Its first column, from 0.", "起始列，从 0 开始。"), minimum=0),
            "row_span": integer(Text("How many rows it covers.", "所跨行数。"), minimum=1),
            "column_span": integer(Text("How many columns it covers.", "所跨列数。"), minimum=1),
            "lines": _INDICES,
        },
        "required": ["row", "column", "row_span", "column_span", "lines"],
    },
    "Block": {
        "type": "object",
        "description": Text("A paragraph, a column or a table.", "段落、栏或表格。"),
        "properties": {
            "polygon": ref("Polygon"),
            "lines": _INDICES,
            "kind": {
                "type": "string",
                "enum": ["text", "table"],
                "description": Text(
                    "`table`: its lines stand in rows and columns.", "`table`：各行按行列排列。"
                ),
            },
            "cells": {
                "type": "array",
                "items": ref("Cell"),
                "description": Text("Only of a table.", "仅表格才有。"),
            },
        },
        "required": ["polygon", "lines", "kind"],
    },
    "Timing": {
        "type": "object",
        "description": Text("Milliseconds of each step.", "各步骤所用毫秒数。"),
        "properties": {
            name: {"type": "number", "minimum": 0, "description": text}
            for name, text in _STEPS.items()
        },
        "required": ["total"],
    },
}
