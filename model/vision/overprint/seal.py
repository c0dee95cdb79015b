"""Find seals (company chops, name seals, PAID stamps) on a page by their colour and outline.

The search runs on a copy of at most 640 px and ends at once on a page without colour. A grey copy
of a seal has a grey level between the paper's and the ink's.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Mask, Pixels
from model.vision.overprint.seal_shape import Hull, has_middle_in, shapes, without_rules

Luma = npt.NDArray[np.uint8]  # H x W
Indices = npt.NDArray[np.intp]

_COPY_PX = 640  # long side of the copy that is searched
_COLOURED = 24.0  # distance of a coloured pixel's chroma from the paper's
_MIN_SHARE = 0.0002  # of a page's pixels; less colour is no seal
_MAX_HUES = 3
_HUES = 36
_SAME_HUE = 0.44  # radians between a seal's hue and those of its pixels
# Shares of the strongest chroma of a hue: a seal may lie on weaker print of its hue.
_LEVELS = (0.0, 0.45, 0.7)
_MOST_FILL, _MOST_GREY_FILL = 0.8, 0.72  # of a seal's hull; a picture has more
_STRONG = 97  # percentile of a hue's chroma that counts as its strongest
_FLAT = 12  # grey levels between neighbours inside a stroke; the edges of letters have more
_APART = 32  # grey levels between a grey seal and both paper and ink
_SAME_GREY = 16
_SAME_AREA = 0.6  # of the largest outline of a seal
_SAME_PX = 6  # of the copy
_MAX_OUTLINES = 24  # on a page, which bounds the time
_JOINED_PX = (3, 7)  # distance of pixels that belong together; a worn outline has gaps
_JOINED_GREY_PX = 5
_MIN_SIDE_PX, _MIN_GREY_PX = 14, 24  # of the copy
_LARGE_PX = 48  # of the copy; a smaller grey outline may be a letter's edge
_MAX_GREY = 0.15  # of a page's pixels; more is a photo


class Outline(NamedTuple):
    """A seal's convex hull, in px of the page, and the share of the hull's edge that it follows.

    `chroma` is its ink's relative to the paper's, Cr and Cb; a grey copy has a grey level instead.
    """

    hull: Hull
    followed: float
    chroma: npt.NDArray[np.float32] | None
    grey: float


def find_outlines(pixels: Pixels) -> list[Outline]:
    """Return the outlines of what may be seals on a page, H x W x 3, the likelier first.

    Of one seal there may be several: with and without print of its hue, its frame and its star.
    """
    step = -(-max(pixels.shape[:2]) // _COPY_PX)
    first = step // 2
    small = np.ascontiguousarray(pixels[first::step, first::step])
    if min(small.shape[:2]) < _MIN_SIDE_PX:
        return []
    ycc: Pixels = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)  # type: ignore[assignment]
    found: dict[bytes, Outline] = {}
    for outline in (*_coloured(ycc), *_grey(ycc, pixels, step)):
        bounds = np.concatenate([outline.hull.min(0), outline.hull.max(0)]) // _SAME_PX
        found.setdefault(bounds.tobytes(), outline._replace(hull=outline.hull * step + first))
    return list(islice(_by_place(found.values()), _MAX_OUTLINES))


def _by_place(outlines: Iterable[Outline]) -> Iterator[Outline]:
    """Yield outlines, the largest first; of several of one seal, the most even.

    Larger ones have print in the seal's colour that it touches, smaller ones lack a part.
    """
    left = sorted(outlines, key=lambda outline: -cv2.contourArea(outline.hull))
    while left:
        least = _SAME_AREA * cv2.contourArea(left[0].hull)
        near = [
            each
            for each in left
            if has_middle_in(each.hull, left[0].hull) and cv2.contourArea(each.hull) >= least
        ]
        yield from sorted(near, key=lambda outline: -outline.followed)
        done = set(map(id, near))
        left = [each for each in left if id(each) not in done]


def _coloured(ycc: Pixels) -> Iterator[Outline]:
    """Yield the coloured seals of a page, H x W x 3 in YCrCb."""
    paper = np.median(ycc[::4, ::4, 1:].reshape(-1, 2), axis=0).astype(np.float32)
    least = max(_MIN_SHARE * ycc[..., 0].size, _MIN_SIDE_PX)
    coarse = np.abs(ycc[::2, ::2, 1:] - paper) > _COLOURED / 2
    if np.count_nonzero(coarse[..., 0] | coarse[..., 1]) < least / 4:
        return
    distance = ycc[..., 1:] - paper
    strength = cv2.magnitude(distance[..., 0], distance[..., 1])
    coloured = strength > _COLOURED
    if np.count_nonzero(coloured) < least:
        return
    hue = cv2.phase(distance[..., 0], distance[..., 1])
    for _ in range(_MAX_HUES):
        votes, edges = np.histogram(hue[coloured], bins=_HUES, range=(0, 2 * np.pi))
        best = int((votes + np.roll(votes, 1) + np.roll(votes, -1)).argmax())
        apart = np.abs(hue - edges[best : best + 2].mean())
        same = coloured & (np.minimum(apart, 2 * np.pi - apart) < _SAME_HUE)
        if np.count_nonzero(same) < least:
            return
        strongest = np.percentile(strength[same], _STRONG)
        for level in _LEVELS:
            mask = same & (strength > level * strongest)
            chroma = np.median(distance[mask], axis=0)
            for alone in (mask, without_rules(mask)):
                for joined_px in _JOINED_PX:
                    found = shapes(
                        alone, joined_px=joined_px, least_px=_MIN_SIDE_PX, most_fill=_MOST_FILL
                    )
                    yield from (Outline(*shape, chroma, 0.0) for shape in found)
        coloured &= ~same


def _grey(ycc: Pixels, pixels: Pixels, step: int) -> Iterator[Outline]:
    """Yield the grey copies of seals of a page; `ycc` is every `step`th pixel of it."""
    luma = ycc[..., 0]
    paper, ink = np.percentile(luma[::4, ::4], (60, 0.5))
    middle = (luma > ink + _APART) & (luma < paper - _APART)
    least = max(_MIN_SHARE * luma.size, _MIN_SIDE_PX)
    if not least < np.count_nonzero(middle) < _MAX_GREY * luma.size:
        return
    rows, columns = np.nonzero(middle)
    flat, in_stroke = np.zeros(luma.shape, bool), np.zeros(luma.shape, bool)
    flat[rows, columns], in_stroke[rows, columns] = _flat(
        pixels[..., 1], rows * step + step // 2, columns * step + step // 2
    )
    if np.count_nonzero(flat) < least:
        return
    levels = luma[flat].astype(np.int16)
    votes = np.convolve(np.bincount(levels), np.ones(2 * _SAME_GREY + 1), "same")
    grey = float(np.median(levels[np.abs(levels - votes.argmax()) <= _SAME_GREY]))
    near = np.abs(luma - grey) < _SAME_GREY
    for mask, joined_px, least_px in (
        (near & flat, _JOINED_GREY_PX, _MIN_GREY_PX),
        (near & flat, _JOINED_PX[1], _MIN_GREY_PX),
        (near & in_stroke, _JOINED_PX[0], _LARGE_PX),
    ):
        found = shapes(mask, joined_px=joined_px, least_px=least_px, most_fill=_MOST_GREY_FILL)
        yield from (Outline(*shape, None, grey) for shape in found)


def _flat(grey: Luma, rows: Indices, columns: Indices) -> tuple[Mask, Mask]:
    """Return which pixels of a page, H x W, are like their neighbours.

    The first is true for all neighbours, the second for those in one direction, as in a thin stroke
    or along the edge of a letter.
    """
    centre = grey[rows, columns].astype(np.int16)
    flat, in_stroke = np.ones(len(rows), bool), np.zeros(len(rows), bool)
    for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
        both = np.ones(len(rows), bool)
        for sign in (-1, 1):
            y = np.clip(rows + sign * down, 0, grey.shape[0] - 1)
            x = np.clip(columns + sign * right, 0, grey.shape[1] - 1)
            both &= np.abs(grey[y, x] - centre) < _FLAT
        in_stroke |= both
        if not (down and right):
            flat &= both
    return flat, in_stroke
