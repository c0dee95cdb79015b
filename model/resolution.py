"""How large a page is on paper, and how many pixels its image has."""

IMAGE_DPI = 200
_LONGEST_PX = 65_500  # a side of a JPEG
_A4_INCHES = 210 / 25.4  # its shorter side


def image_dpi(width: int, height: int) -> float:
    """Return the pixels an inch of an image of this size: 200, or as many as make it as wide as A4.

    What image files say of themselves is not used: cameras and screenshots state 72 or 96, whatever
    they show. A scan of an A4 page has its true size from 200 dpi up, and a photo of one nearly. A
    long screenshot or receipt stays legible: it is its shorter side that is compared.
    """
    return max(float(IMAGE_DPI), min(width, height) / _A4_INCHES)


def image_size(width: int, height: int, dpi: float, max_dpi: int | None) -> tuple[int, int]:
    """Return the width and height in px of the image of a page with this size and resolution.

    It has at most `max_dpi` pixels an inch, and is never larger than the page.
    """
    scale = min(1.0, (max_dpi or dpi) / dpi, _LONGEST_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
