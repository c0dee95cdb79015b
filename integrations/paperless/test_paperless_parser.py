"""The parser's interface and its files; reading through a service: tests/integrations."""

import inspect
from importlib.metadata import entry_points
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from paperless_sealed_ocr.parser import SealedOcrParser

# The members of paperless-ngx 3's ParserProtocol, with the parameters it calls them by.
PROTOCOL = {
    "supported_mime_types": (),
    "score": ("mime_type", "filename", "path"),
    "configure": ("self", "context"),
    "parse": ("self", "document_path", "mime_type", "produce_archive"),
    "get_text": ("self",),
    "get_date": ("self",),
    "get_archive_path": ("self",),
    "get_thumbnail": ("self", "document_path", "mime_type"),
    "get_page_count": ("self", "document_path", "mime_type"),
    "extract_metadata": ("self", "document_path", "mime_type"),
}


def test_it_has_the_members_of_the_protocol() -> None:
    """As the registry checks them at the class, and as the consumer calls them."""
    for name, parameters in PROTOCOL.items():
        assert tuple(inspect.signature(getattr(SealedOcrParser, name)).parameters) == parameters
    for name in ("name", "version", "author", "url"):
        assert isinstance(getattr(SealedOcrParser, name), str)
    keyword = inspect.signature(SealedOcrParser.parse).parameters["produce_archive"]
    assert (keyword.kind, keyword.default) == (keyword.KEYWORD_ONLY, True)
    with SealedOcrParser(logging_group=None) as parser:
        assert parser.can_produce_archive
        assert not parser.requires_pdf_rendition


def test_paperless_finds_it() -> None:
    """By the entry point of its group."""
    [found] = entry_points(group="paperless_ngx.parsers")
    assert found.load() is SealedOcrParser


def test_it_declines_files_while_no_service_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the built-in parsers read them; otherwise it goes before them."""
    monkeypatch.delenv("SEALED_OCR_URL", raising=False)
    assert SealedOcrParser.score("application/pdf", "a.pdf") is None
    monkeypatch.setenv("SEALED_OCR_URL", "https://localhost:8443")
    assert (SealedOcrParser.score("application/pdf", "a.pdf") or 0) > 20
    assert SealedOcrParser.score("text/plain", "a.txt") is None


def test_pictures_counts_and_metadata(tmp_path: Path) -> None:
    """Of a PDF and of an image; a file that is no PDF has none."""
    page = Image.new("RGB", (800, 600), "white")
    page.save(tmp_path / "a.png")
    page.save(tmp_path / "a.pdf", save_all=True, append_images=[page], title="Lease")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4 no")
    with SealedOcrParser() as parser:
        for name, mime_type in (("a.pdf", "application/pdf"), ("a.png", "image/png")):
            picture = parser.get_thumbnail(tmp_path / name, mime_type)
            with Image.open(picture) as image:
                assert (image.format, image.size) == ("WEBP", (500, 375))
        assert parser.get_page_count(tmp_path / "a.pdf", "application/pdf") == 2
        assert parser.get_page_count(tmp_path / "bad.pdf", "application/pdf") is None
        assert parser.get_page_count(tmp_path / "a.png", "image/png") is None
        with pikepdf.open(tmp_path / "a.pdf", allow_overwriting_input=True) as pdf:
            with pdf.open_metadata() as written:
                written["dc:title"] = "Lease"
            pdf.save()
        entries = parser.extract_metadata(tmp_path / "a.pdf", "application/pdf")
        titles = [entry for entry in entries if entry["key"] == "title"]
        assert titles == [
            {
                "namespace": "http://purl.org/dc/elements/1.1/",
                "prefix": "dc",
                "key": "title",
                "value": "Lease",
            }
        ]
        assert parser.extract_metadata(tmp_path / "bad.pdf", "application/pdf") == []
        folder = picture.parent
    assert not folder.exists()
