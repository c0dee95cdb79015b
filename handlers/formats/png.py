"""PNG: a page with the boxes of its lines drawn over it."""

from handlers.formats.format import Format, ResponseInfo, Writer
from model.reader import Page, PageImage


class PngWriter(Writer):
    """Passes on the image of the page, which the engine process has drawn."""

    def __init__(self, _info: ResponseInfo) -> None:
        pass

    def page(self, _upload: int, page: Page) -> bytes:
        """Return the image."""
        return page.image or b""


FORMAT = Format(
    name="png",
    media_type="image/png",
    extension="png",
    title=("Annotated image", "标注图像"),
    description=(
        "One page as a PNG image, with the boxes of its lines drawn over it.",
        "单页的 PNG 图像，其上标出各行的位置。",
    ),
    writer=PngWriter,
    image=PageImage.ANNOTATED_PNG,
    single_page=True,
)
