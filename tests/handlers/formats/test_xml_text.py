"""Text in XML."""

from lxml import etree

from handlers.writing.xml_text import xml_text

EDGES = (0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x10FFFF)


def test_every_character_can_be_written() -> None:
    """What XML allows comes back, in an element and in an attribute; the rest is replaced."""
    text = "".join(map(chr, (*range(0x300), *EDGES)))
    safe = xml_text(text)
    root = etree.fromstring(f"<a b='{safe}' c=\"{safe}\">{safe}</a>")
    assert "\0" in text
    forbidden = {*map(chr, (*range(9), 11, 12, *range(14, 32))), "\ufffe", "\uffff"}
    replaced = "".join("\ufffd" if each in forbidden else each for each in text)
    assert root.text == replaced.replace("\r", "\n")
    assert root.get("b") == root.get("c")
    assert root.get("b").replace(" ", "") == "".join(replaced.split("\t")).translate(
        {ord(each): None for each in "\r\n "}
    )
