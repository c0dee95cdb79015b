"""Lift seals off a page, so that the text under them is found and read.

A pixel within a seal is a mixture of paper, the seal's ink and the text's ink. It becomes the
mixture of paper and text alone. A seal that covers no text stays as it is.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.inference import Mask, Pixels
from model.vision.overprint.lifted import Lifted
from model.vision.overprint.seal import Luma, Outline, find_outlines
from model.vision.overprint.seal_shape import Hull, has_middle_in

Colour = npt.NDArray[np.float32]  # R, G, B
Shares = npt.NDArray[np.float32]  # H x W

_MARGIN_PX = 6  # around a seal: its edge is blurred
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_TO_CHROMA = np.array([[0.5, -0.419, -0.081], [-0.169, -0.331, 0.5]], np.float32)  # Cr, Cb
_SAMPLED_PX = 1000  # side of what the colours are taken from
_BAND_PX = 128
_PAPER = 70  # percentile of the luma within a seal from which a pixel is paper
_SEAL = 0.5  # of the seal's chroma; more is seal
_NO_SEAL = 0.35  # of the seal's chroma; less is not seal
_DARK = 0.6  # of the paper's luma; less is ink
_CORE, _DARKER = 40, 8  # percentile of the seal's luma, and how much darker ink is, grey levels
_INK = 30  # percentile of the dark pixels up to which they are pure ink
_GREY_LEVELS = 14  # between a grey seal's pixels and its median
_MIN_PX = 20  # of seal, and of ink
_TOUCHING = 0.012  # of a seal's pixels; the ink that touches them, if it covers text
_EXPLAINED, _MIN_PAPER = 0.74, 0.25  # shares of pixels; less is a picture
_RESIDUE = 30  # grey levels between a pixel and the nearest mixture
# JPEG stores chroma at half the resolution: at a thin stroke it is weaker than the luma says.
_CHROMA_GAIN, _CHROMA_NOISE = 2.0, 0.1
_MIN_DROP = 55  # grey levels between paper and seal; a highlighter is brighter
_MIN_ROOM = 10.0  # grey levels between seal and ink
_MOST_COVERED = 0.55  # a share of seal beyond which what is below is not amplified further
_FAINT = 0.08  # share of text below which a pixel is paper


class _Inks(NamedTuple):
    """The colours of paper, seal and text, and the chroma of the seal; none if it is grey."""

    paper: Colour
    seal: Colour
    text: Colour
    chroma: Colour | None


def lift_seals(pixels: Pixels) -> Lifted:
    """Return a page, H x W x 3, without the seals that cover text; the same array without any."""
    height, width = pixels.shape[:2]
    lifted = pixels
    found: list[Hull] = []
    for outline in find_outlines(pixels):
        if any(has_middle_in(outline.hull, other) for other in found):
            continue
        left, top = np.maximum(0, outline.hull.min(0) - _MARGIN_PX).tolist()
        right, bottom = (outline.hull.max(0) + _MARGIN_PX + 1).clip(max=(width, height)).tolist()
        within = _within(outline.hull - (left, top), (bottom - top, right - left))
        inks = _inks(lifted[top:bottom, left:right], within, outline)
        if inks is None:
            continue
        if lifted is pixels:
            lifted = pixels.copy()
        _lift(lifted[top:bottom, left:right], within, inks)
        found.append(outline.hull)
    return Lifted(lifted, found)


def _within(hull: Hull, shape: tuple[int, int]) -> Mask:
    """Return which pixels of an H x W part of a page are in a hull or near it."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, hull.astype(np.int32), (1,))
    return cv2.dilate(inside, np.ones((2 * _MARGIN_PX + 1,) * 2, np.uint8)) > 0


def _inks(part: Pixels, within: Mask, outline: Outline) -> _Inks | None:
    """Return the colours of a seal and what is below it, or None if it covers no text."""
    step = -(-max(within.shape) // _SAMPLED_PX)
    part, within = np.ascontiguousarray(part[::step, ::step]), within[::step, ::step]
    luma: Luma = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    bright = within & (luma >= np.percentile(luma[within], _PAPER))
    paper = np.median(part[bright], axis=0).astype(np.float32)
    white = float(paper @ _LUMA)
    seal_px, dark = _seal_and_ink(part, luma, within, outline, paper)
    if min(np.count_nonzero(seal_px), np.count_nonzero(dark)) < _MIN_PX:
        return None
    seal = np.median(part[seal_px], axis=0).astype(np.float32)
    if white - float(seal @ _LUMA) < _MIN_DROP:
        return None
    near = cv2.dilate(seal_px.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if np.count_nonzero(dark & near) < _TOUCHING * np.count_nonzero(seal_px):
        return None
    text = np.median(part[dark & (luma <= np.percentile(luma[dark], _INK))], axis=0)
    inks = _Inks(paper, seal, text.astype(np.float32), outline.chroma)
    return inks if _explains(inks, part[within][::7]) else None


def _seal_and_ink(
    part: Pixels, luma: Luma, within: Mask, outline: Outline, paper: Colour
) -> tuple[Mask, Mask]:
    """Return the pixels that are a seal's alone, and the dark ones that are not, H x W each."""
    dark = within & (luma < _DARK * (paper @ _LUMA))
    if outline.chroma is None:
        seal_px = within & (np.abs(luma.astype(np.int16) - outline.grey) < _GREY_LEVELS)
        return seal_px, dark & (luma < outline.grey - 2 * _GREY_LEVELS)
    along = _along(part, paper, outline.chroma)
    seal_px = within & (along > _SEAL)
    if not seal_px.any():
        return seal_px, seal_px
    # The edges of coloured letters have less chroma, but are no darker than their strokes.
    dark &= luma < np.percentile(luma[seal_px], _CORE) - _DARKER
    return seal_px, dark & (along < _NO_SEAL)


def _along(part: Pixels, paper: Colour, chroma: Colour) -> Shares:
    """Return each pixel's chroma relative to the paper's, as a share of the seal's."""
    weights = chroma @ _TO_CHROMA / (chroma @ chroma)
    return _affine(part, weights[None], paper)


def _affine(part: Pixels, weights: npt.NDArray[np.float32], origin: Colour) -> Shares:
    """Return weights x (pixel - origin) for each pixel of a part, H x W x (number of weights)."""
    matrix = np.concatenate([weights, -(weights @ origin)[:, None]], axis=1)
    return cv2.transform(part.astype(np.float32), matrix)  # type: ignore[return-value]


def _explains(inks: _Inks, sample: npt.NDArray[np.uint8]) -> bool:
    """Return whether most of the pixels, N x 3, are mixtures of these colours, and many paper."""
    axes = np.stack([inks.seal - inks.paper, inks.text - inks.paper], axis=1)
    away = sample - inks.paper
    shares = (away @ np.linalg.pinv(axes).T).clip(0, 1.2)
    residue = np.linalg.norm(away - shares @ axes.T, axis=1)
    paper = np.linalg.norm(away, axis=1) < _RESIDUE
    return bool((residue < _RESIDUE).mean() > _EXPLAINED and paper.mean() > _MIN_PAPER)


def _lift(part: Pixels, within: Mask, inks: _Inks) -> None:
    """Replace the pixels of a part, H x W x 3, by mixtures of paper and text.

    A few rows at a time: the shares need much more memory than the pixels.
    """
    last = part[:0]
    for top in range(0, len(part), _BAND_PX):
        bottom = min(top + _BAND_PX, len(part))
        band = np.concatenate([last, part[top : bottom + 1]])
        share = _text_share(band, inks)[len(last) :][: bottom - top, :, None]
        last = part[bottom - 1 : bottom].copy()
        clean = inks.paper + share * (inks.text - inks.paper)
        inside = within[top:bottom]
        part[top:bottom][inside] = clean.round().astype(np.uint8)[inside]


def _text_share(part: Pixels, inks: _Inks) -> Shares:
    """Return the share of text in each pixel of a part, H x W x 3."""
    white, seal, black = (float(each @ _LUMA) for each in inks[:3])
    drop = white - _affine(part, _LUMA[None], np.zeros(3, np.float32))
    covered: Shares | float = 1.0
    if inks.chroma is not None:
        along = cv2.dilate(_along(part, inks.paper, inks.chroma), np.ones((3, 3), np.uint8))
        covered = np.clip(_CHROMA_GAIN * along - _CHROMA_NOISE, 0, 1)
    room = np.maximum(white - black - covered * (white - seal), _MIN_ROOM)
    share = (drop - covered * (white - seal)) / room
    if inks.chroma is not None:
        axes = np.stack([inks.seal - inks.paper, inks.text - inks.paper], axis=1)
        mixed = _affine(part, np.linalg.pinv(axes).astype(np.float32), inks.paper)
        alone = mixed[..., 1] / np.maximum(1 - mixed[..., 0], 1 - _MOST_COVERED)
        share = np.where(mixed[..., 0] < 0, share, np.minimum(share, alone))
    return np.clip((share - _FAINT) / (1 - _FAINT), 0, 1)
