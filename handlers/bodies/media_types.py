"""The media types of files that can be read."""

_FILES = frozenset({"application/pdf", "application/x-pdf", "application/octet-stream"})


def essence(content_type: str) -> str:
    """Return the media type of a Content-Type, without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_file(media_type: str) -> bool:
    """Whether a body or part of this media type is a file, not text."""
    return media_type.startswith("image/") or media_type in _FILES
