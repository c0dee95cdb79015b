"""The whole corpus. It's made anew from code each time: no binary file is kept."""

from tests.corpus import (
    bmp,
    disguises,
    gif,
    jpeg,
    metadata,
    pdf_content,
    pdf_structure,
    png,
    tiff,
    truncations,
    webp,
)

ENTRIES = (
    *png.ENTRIES,
    *jpeg.ENTRIES,
    *metadata.ENTRIES,
    *webp.ENTRIES,
    *gif.ENTRIES,
    *bmp.ENTRIES,
    *tiff.ENTRIES,
    *pdf_structure.ENTRIES,
    *pdf_content.ENTRIES,
    *truncations.ENTRIES,
    *disguises.ENTRIES,
)
