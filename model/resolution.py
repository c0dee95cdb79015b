"""How large a page is on paper."""

IMAGE_DPI = 200
_A4_INCHES = 297 / 25.4  # its longer side


def image_dpi(width: int, height: int) -> float:
    """Return the pixels an inch of an image of this size: 200, or as many as make it A4.

    What image files say of themselves is not used: cameras and screenshots state 72 or 96, whatever
    they show. A scan of an A4 page has its true size from 200 dpi up; a photo of one is A4, too.
    """
    return max(float(IMAGE_DPI), max(width, height) / _A4_INCHES)
