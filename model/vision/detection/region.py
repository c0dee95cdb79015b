"""A part of a page."""

from typing import NamedTuple

from model.vision.inference import Pixels


class Region(NamedTuple):
    """A part of a page, in px of the page; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """The number of its pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def crop(self, pixels: Pixels) -> Pixels:
        """Return this part of a page."""
        return pixels[self.top : self.bottom, self.left : self.right]


def whole(pixels: Pixels) -> Region:
    """Return the region that is all of a page, H x W x 3."""
    return Region(0, 0, pixels.shape[1], pixels.shape[0])
