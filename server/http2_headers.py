"""What a valid HTTP/2 request is, for each stream alone.

h2 checks header fields, too, but ends the whole connection for one bad request, where RFC 9113 has
a stream error (section 8.1.1): one client's key with a line break in it ended all requests beside.
"""

from collections import deque
from collections.abc import Iterable, Sized

import h2.utilities
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from hpack import Decoder

from server.probes import override
from server.refusals import Refusal

USES = (
    "h2.config:H2Configuration.validate_inbound_headers",
    "h2.connection:H2Connection.config",
    "h2.connection:H2Connection.decoder",
    "h2.utilities:HeaderValidationFlags",
    "h2.utilities:validate_headers(headers, hdr_validation_flags)",
    "hpack:Decoder.decode(self, data, raw)",
)

Headers = Iterable[tuple[bytes, bytes]]

HARD_LIMIT_FACTOR = 4
"""Headers so many times as large as announced are still decoded, to be answered 431; larger ones
end the connection: the compression context (HPACK) is lost if they are not decoded."""

FREE_FIELDS = 40
FIELDS_PER_FRAME = 8
"""Header fields beyond what clients usually send cost a control frame for each so many."""

FIELD_OVERHEAD = 32  # of each field, by which sizes are counted (RFC 9113, section 6.5.2)
CONTENT_LENGTH = b"content-length"
INVALID_NAME = b"Content-Length"  # in upper case no name is valid
REQUEST = h2.utilities.HeaderValidationFlags(
    is_client=False, is_trailer=False, is_response_header=False, is_push_promise=False
)
TRAILERS = h2.utilities.HeaderValidationFlags(
    is_client=False, is_trailer=True, is_response_header=False, is_push_promise=False
)


class StreamDecoder(Decoder):
    """Decodes header blocks so that h2 finds no error in a Content-Length.

    h2 reads that field even where it validates none, and ends the connection for an invalid one.
    """

    @override
    def decode(self, data: bytes, raw: bool = False) -> Iterable[tuple[bytes, bytes]]:  # type: ignore[override]  # noqa: FBT001, FBT002 - hpack's signature
        """Return the fields; an invalid Content-Length gets a name by which it is refused."""
        headers = super().decode(data, raw)
        lengths = {value for name, value in headers if name == CONTENT_LENGTH}
        if len(lengths) > 1 or not all(map(is_length, lengths)):
            return [(INVALID_NAME if n == CONTENT_LENGTH else n, v) for n, v in headers]
        return headers


MOST_DIGITS = 20


def is_length(value: bytes) -> bool:
    """Whether a value is a Content-Length (RFC 9110, section 8.6)."""
    return value.isdigit() and len(value) <= MOST_DIGITS


def validate_per_stream(connection: H2Connection, header_list_bytes: int) -> None:
    """Have a connection accept all headers that it can decode: `refusal_of` validates them."""
    connection.config.validate_inbound_headers = False
    connection.decoder = StreamDecoder()
    # What is announced takes effect once it is acknowledged, which a client may omit.
    connection.decoder.max_header_list_size = header_list_bytes * HARD_LIMIT_FACTOR


def header_list_size(headers: Headers) -> int:
    """Return the size of headers as it is limited (RFC 9113, section 6.5.2)."""
    return sum(len(name) + len(value) + FIELD_OVERHEAD for name, value in headers)


def frames_cost(headers: Sized) -> int:
    """Return how many control frames the number of fields costs."""
    return max(0, len(headers) - FREE_FIELDS) // FIELDS_PER_FRAME


def refusal_of_headers(headers: Headers, header_list_bytes: int) -> Refusal | None:
    """Return why a request is refused by its headers; None if it is not.

    There are no tunnels (CONNECT), nor WebSockets. Hypercorn decodes the path as ASCII, and an
    error there would end the whole connection.
    """
    if header_list_size(headers) > header_list_bytes:
        return Refusal.HEADERS_TOO_LARGE
    if not _is_valid(headers, REQUEST):
        return Refusal.MALFORMED
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    if b":protocol" in pseudo:
        return Refusal.WEBSOCKET
    if pseudo[b":method"] == b"CONNECT" or not all(map(bytes.isascii, pseudo.values())):
        return Refusal.MALFORMED
    return None


def resets_cost(refusal: Refusal) -> int:
    """Return how many resets a refusal costs as much as: large headers take long to decode."""
    return HARD_LIMIT_FACTOR if refusal is Refusal.HEADERS_TOO_LARGE else 1


def are_valid_trailers(headers: Headers, header_list_bytes: int) -> bool:
    """Whether the fields after a body are valid."""
    return header_list_size(headers) <= header_list_bytes and _is_valid(headers, TRAILERS)


def _is_valid(headers: Headers, kind: h2.utilities.HeaderValidationFlags) -> bool:
    try:
        deque(h2.utilities.validate_headers(headers, kind), maxlen=0)
    except ProtocolError:
        return False
    return True
