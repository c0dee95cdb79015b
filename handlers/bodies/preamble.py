"""The text before the first boundary of a multipart body; RFC 2046, section 5.1.1."""


class Preamble:
    """Discards what comes before the first line that begins with the boundary."""

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._tail = b"\r\n"  # as if a line had ended before the body

    def skip(self, chunk: bytes) -> bytes:
        """Return the body from the boundary on; nothing while it has not been found."""
        text = self._tail + chunk
        at = text.find(self._delimiter)
        if at >= 0:
            return text[at + 2 :]
        self._tail = text[-len(self._delimiter) + 1 :]
        return b""
