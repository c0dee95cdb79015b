"""The font of the invisible text, and the codes of its characters."""

from PIL import ImageFont

from handlers.pdf.font import Font
from handlers.pdf.objects import Objects
from scripts.glyphless_font import FILE, font


def test_the_file_is_what_the_script_makes() -> None:
    """Byte by byte, each time."""
    assert FILE.read_bytes() == font() == font()


def test_a_character_is_a_square_with_nothing_in_it() -> None:
    """It has the size of an em, and no pixel of it is black."""
    face = ImageFont.truetype(FILE, 100)
    assert face.getlength("x") == 100
    assert face.getmetrics() == (80, 20)
    assert face.getmask("xyz").getbbox() is None


def test_each_character_has_a_code_of_its_own_until_there_is_none_left() -> None:
    """The others have code 0, which stands for no character."""
    characters = Font(Objects())
    text = "".join(map(chr, range(0x3000, 0xD800))) + "".join(map(chr, range(0x20000, 0x2A6D6)))
    codes = characters.encode(text)
    assert len({codes[index : index + 4] for index in range(0, len(codes), 4)}) == 0x10000
    assert characters.encode(text[:3]) == b"000100020003"
    assert characters.encode(text[-1]) == b"0000"
