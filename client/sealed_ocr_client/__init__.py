"""A client of Sealed OCR: the command sealed-ocr, and this library.

from sealed_ocr_client import Client

with Client("https://localhost:8443", ca="tls/local/ca.pem") as client:
    print(client.read("receipt.png").text)
"""

from sealed_ocr_client.blocking import Client
from sealed_ocr_client.client import AsyncClient
from sealed_ocr_client.errors import (
    ConnectionLost,
    NotDivisible,
    OcrError,
    Refused,
    UnexpectedAnswer,
    Unreachable,
    UnreadableFile,
    Untrusted,
    UnusableOption,
)
from sealed_ocr_client.keys import find_key, read_key
from sealed_ocr_client.options import Options
from sealed_ocr_client.result import Document

__all__ = [
    "AsyncClient",
    "Client",
    "ConnectionLost",
    "Document",
    "NotDivisible",
    "OcrError",
    "Options",
    "Refused",
    "UnexpectedAnswer",
    "Unreachable",
    "UnreadableFile",
    "Untrusted",
    "UnusableOption",
    "find_key",
    "read_key",
]
