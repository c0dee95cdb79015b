"""The causes of a malformed body, a class each; handlers.bodies.body_problem_table has their texts.

They hold positions, counts and numbers, all from 1, and names from the service's own lists: never
what the client sent.
"""

from handlers.errors import MalformedBody


class EmptyBody(MalformedBody):
    """The body has no bytes."""


class BoundaryMissing(MalformedBody):
    """The Content-Type of a multipart body has no boundary, or one that is too long."""


class BoundaryNotFound(MalformedBody):
    """The boundary of the Content-Type is not in the body."""


class BareLineFeeds(MalformedBody):
    """The lines of a multipart body end with LF alone."""


class MultipartCutShort(MalformedBody):
    """A multipart body ends before its closing boundary."""

    def __init__(self, part: int) -> None:
        super().__init__(part)
        self.part = part


class PartMalformed(MalformedBody):
    """The headers of a part, or the boundary after it, are malformed or too long."""

    def __init__(self, part: int, position: int) -> None:
        super().__init__(part, position)
        self.part = part
        self.position = position


class PartUnnamed(MalformedBody):
    """A part has no name."""

    def __init__(self, part: int) -> None:
        super().__init__(part)
        self.part = part


class PartIsText(MalformedBody):
    """A part has the name of a file, but is a text field: a forgotten @ in curl."""

    def __init__(self, part: int) -> None:
        super().__init__(part)
        self.part = part


class PartIsUrl(MalformedBody):
    """A part with the name of a file holds a URL."""

    def __init__(self, part: int) -> None:
        super().__init__(part)
        self.part = part


class NoImagePart(MalformedBody):
    """No part has the name of a file."""

    def __init__(self, files: int, fields: int) -> None:
        super().__init__(files, fields)
        self.files = files
        self.fields = fields


class OtherFiles(MalformedBody):
    """Some files have the name of a file, and others have not."""

    def __init__(self, others: int) -> None:
        super().__init__(others)
        self.others = others


class NoFileChosen(MalformedBody):
    """A browser sent a form in which no file was chosen."""


class JsonMalformed(MalformedBody):
    """The body is not JSON."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class JsonNotObject(MalformedBody):
    """The JSON is not an object."""


class JsonWithoutImage(MalformedBody):
    """The JSON object has no image."""


class JsonMemberUnknown(MalformedBody):
    """The JSON object has a member that is not known."""


class JsonMemberForeign(MalformedBody):
    """The JSON object has a member that other services know; `member` is its name."""

    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member


class JsonMemberRepeated(MalformedBody):
    """The JSON object has a known member twice."""

    def __init__(self, member: str) -> None:
        super().__init__(member)
        self.member = member


class JsonImageNotString(MalformedBody):
    """An image in JSON is not a string."""

    def __init__(self, image: int) -> None:
        super().__init__(image)
        self.image = image


class JsonImagesNotList(MalformedBody):
    """The JSON member `images` is not a list."""


class FieldMissing(MalformedBody):
    """A form field or JSON member is missing that another service's clients always send."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class FieldInvalid(MalformedBody):
    """A form field or JSON member has the wrong type, or an invalid value."""

    def __init__(self, name: str, takes: str) -> None:
        super().__init__(name, takes)
        self.name = name
        self.takes = takes


class MalformedImage(MalformedBody):
    """One image of a body is malformed; the others may be read."""

    def __init__(self, image: int) -> None:
        super().__init__(image)
        self.image = image


class EmptyImage(MalformedImage):
    """An image has no bytes."""


class ImageIsUrl(MalformedImage):
    """A URL in place of base64."""


class NotBase64(MalformedImage):
    """An image in JSON has a character that is not base64."""

    def __init__(self, image: int, position: int) -> None:
        super().__init__(image)
        self.position = position


class Base64CutShort(MalformedImage):
    """The base64 of an image has one character too few, or wrong padding."""
