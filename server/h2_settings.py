"""The HTTP/2 settings that the server announces, and how they are enforced."""

import h2.settings
from h2.connection import H2Connection
from hypercorn.config import Config

from server.http2_headers import validate_per_stream
from server.probes import override

USES = (
    "h2.connection:H2Connection.local_settings",
    "h2.connection:H2Connection.max_inbound_frame_size",
)

Settings = h2.settings.SettingCodes

STREAMS_PER_READ = 1_000
"""How many streams beyond the limit a client may open before its connection is closed.

Each is refused alone, but h2 parses a whole read (64 KiB) before it returns the first event.
"""


class LenientSettings(h2.settings.Settings):
    """Settings that announce a limit of streams and let h2 accept some more, to refuse them.

    h2 closes the whole connection at the first stream too many (Hypercorn #335), where RFC 9113,
    section 5.1.2, asks for a stream error.
    """

    @property
    @override
    def max_concurrent_streams(self) -> int:
        """The limit h2 enforces; the one announced is in the mapping."""
        announced: int = self[Settings.MAX_CONCURRENT_STREAMS]
        return announced + STREAMS_PER_READ

    @max_concurrent_streams.setter
    def max_concurrent_streams(self, announced: int) -> None:
        self[Settings.MAX_CONCURRENT_STREAMS] = announced


def announce(connection: H2Connection, config: Config, stream_window_bytes: int) -> None:
    """Have a connection announce the limits of its requests, and enforce them."""
    # WebSockets over HTTP/2 are not announced: their bodies would bypass the windows.
    connection.local_settings = LenientSettings(
        client=False,
        initial_values={
            Settings.MAX_CONCURRENT_STREAMS: config.h2_max_concurrent_streams,
            Settings.MAX_HEADER_LIST_SIZE: config.h2_max_header_list_size,
            Settings.INITIAL_WINDOW_SIZE: stream_window_bytes,
            # Hypercorn has a setting for it, and announces 16 KiB whatever that says.
            Settings.MAX_FRAME_SIZE: config.h2_max_inbound_frame_size,
        },
    )
    connection.max_inbound_frame_size = config.h2_max_inbound_frame_size
    validate_per_stream(connection, config.h2_max_header_list_size)
