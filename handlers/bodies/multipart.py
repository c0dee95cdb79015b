"""The images and parameters in a multipart/form-data body."""

import io

from handlers.bodies.base64_text import URL
from handlers.bodies.body import Body, Image
from handlers.bodies.body_errors import (
    EmptyImage,
    NoFileChosen,
    NoImagePart,
    OtherFiles,
    PartIsText,
    PartIsUrl,
)
from handlers.bodies.multipart_parts import MultipartParts
from handlers.bodies.part import Part
from handlers.errors import TooManyImages, UnknownParameter
from handlers.parameters import NAMES, VALID

IMAGE_NAMES = ("image", "file")
MAX_FIELD_BYTES = 1024


class MultipartBody(MultipartParts):
    """Collects the images and parameters of one body.

    An image is a part named "image" or "file" that has a file name, or the media type of a file.
    A part without either is a parameter.
    """

    def __init__(self, content_type: str, *, max_images: int) -> None:
        """Read the boundary.

        Raises:
            BoundaryMissing: the Content-Type has no boundary, or one that is too long.

        """
        super().__init__(content_type)
        self._max_images = max_images
        self._images: list[Image] = []
        self._parameters: list[tuple[str, str]] = []
        self._others = self._blank = 0

    def finish(self) -> Body:
        """Return the images and parameters, once the body has ended.

        Raises:
            MalformedBody: the closing boundary is missing, or there is no image.

        """
        self.check_complete()
        if not self._images:
            raise (
                NoFileChosen() if self._blank else NoImagePart(self._others, len(self._parameters))
            )
        if self._others:
            raise OtherFiles(self._others)
        return Body(self._images, self._parameters)

    def begin(self, part: Part) -> None:
        """Refuse what is neither image nor parameter.

        Raises:
            TooManyImages: it is one image more than `max_images`, or one other file more.
            UnknownParameter: it is a field, and no parameter.

        """
        if part.is_file and part.name not in IMAGE_NAMES:
            self._others += 1
            if self._others > self._max_images:
                raise TooManyImages(self._max_images)
            return
        if not part.is_file and part.name not in {*NAMES, *IMAGE_NAMES}:
            raise UnknownParameter(VALID)
        if part.is_file and len(self._images) + self._blank == self._max_images:
            raise TooManyImages(self._max_images)
        part.content = io.BytesIO()

    def grown(self, part: Part) -> None:
        """Refuse a parameter as soon as it is too long."""
        if not part.is_file and part.content and part.content.tell() > MAX_FIELD_BYTES:
            self._field(part, part.content.getvalue())

    def end(self, part: Part, content: bytes) -> None:
        """Take an image or a parameter."""
        if not part.is_file:
            self._field(part, content)
        elif content:
            self._images.append(content)
        elif part.has_blank_name:  # a browser's <input type=file> in which no file was chosen
            self._blank += 1
        else:
            self._images.append(EmptyImage(len(self._images) + 1))

    def _field(self, part: Part, value: bytes) -> None:
        if part.name in IMAGE_NAMES:
            raise PartIsUrl(part.number) if URL.match(value) else PartIsText(part.number)
        if len(value) > MAX_FIELD_BYTES:
            raise UnknownParameter(VALID)
        self._parameters.append((part.name, value.decode(errors="replace")))
        if len(self._parameters) > len(NAMES):
            raise UnknownParameter(VALID)
