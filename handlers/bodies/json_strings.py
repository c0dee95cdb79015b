"""Where the strings of a JSON body end, found without decoding them; RFC 8259, section 7."""

from handlers.bodies.body_errors import JsonMalformed

MAX_ESCAPED = 64  # quotes in a string, or backslashes before a quote: base64 has none


def end_of_string(body: bytes, start: int) -> int:
    """Return the position of the quote that ends the string whose content begins at `start`.

    Raises:
        JsonMalformed: there is none, or it follows more than MAX_ESCAPED escaped ones.

    """
    end = start
    for _ in range(MAX_ESCAPED):
        end = body.find(b'"', end)
        if end < 0:
            raise JsonMalformed(len(body))
        before = body[max(start, end - MAX_ESCAPED) : end]
        backslashes = len(before) - len(before.rstrip(b"\\"))
        if backslashes == MAX_ESCAPED:
            break
        if backslashes % 2 == 0:
            return end
        end += 1
    raise JsonMalformed(end)
