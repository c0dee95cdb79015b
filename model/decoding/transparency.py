"""Images with transparency on a paper on which their content can be seen."""

from PIL import Image, ImageChops

WHITE = (255, 255, 255)
_PAPERS = (WHITE, (0, 0, 0), (128, 128, 128))
_SAMPLE_PX = 1024  # of the longer side: enough to see which paper shows more
_EDGE_LEVELS = 32  # between neighbouring pixels, from which they are an edge
_CLEARLY = 1.25  # times the edges that white shows: what was made for white paper stays on it


def paper_for(image: Image.Image) -> tuple[int, int, int]:
    """Return the paper's colour, RGB: white, unless white letters would disappear on it."""
    if not image.has_transparency_data:
        return WHITE
    image.load()
    share = min(1.0, _SAMPLE_PX / max(image.size))
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    sample = with_alpha(image.resize(size, Image.Resampling.NEAREST))
    if sample.getchannel("A").getextrema() == (255, 255):
        return WHITE
    edges = {paper: _edges(on_paper(sample, paper).convert("L")) for paper in _PAPERS}
    best = max(_PAPERS, key=edges.__getitem__)
    return best if edges[best] > _CLEARLY * edges[WHITE] else WHITE


def with_alpha(image: Image.Image) -> Image.Image:
    """Return an image with transparency in mode RGBA."""
    if image.mode == "La":  # alpha is premultiplied; the only mode without a conversion to RGB(A)
        image = image.convert("LA")
    return image.convert("RGBA")


def on_paper(image: Image.Image, paper: tuple[int, int, int]) -> Image.Image:
    """Return an image of mode RGBA on a paper, in mode RGB."""
    background = Image.new("RGBA", image.size, (*paper, 255))
    return Image.alpha_composite(background, image).convert("RGB")


def _edges(grey: Image.Image) -> int:
    """Return how many pixels of an image in mode L differ from a neighbour."""
    width, height = grey.size
    found = 0
    for right, down in ((1, 0), (0, 1)):
        one = grey.crop((right, down, width, height))
        other = grey.crop((0, 0, width - right, height - down))
        if one.width and one.height:
            found += sum(ImageChops.difference(one, other).histogram()[_EDGE_LEVELS:])
    return found
