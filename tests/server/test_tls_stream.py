"""TLS records that carry no data."""

import ctypes
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.server.servers import Server, both

KEY_UPDATES = 1000
UPDATE_REQUESTED = 1  # SSL_KEY_UPDATE_REQUESTED: the peer has to send one, too


@contextmanager
def openssl_connection(server: Server) -> Iterator[tuple[ctypes.CDLL, ctypes.c_void_p]]:
    """Give libssl and a TLS 1.3 connection of it: Python's ssl cannot send KeyUpdates."""
    library = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.SSL_CTX_new(ctypes.c_void_p(library.TLS_client_method())))
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
        plain.settimeout(None)  # libssl works on the descriptor
        connection = ctypes.c_void_p(library.SSL_new(context))
        library.SSL_set_fd(connection, plain.fileno())
        assert library.SSL_connect(connection) == 1
        yield library, connection
        library.SSL_free(connection)
        library.SSL_CTX_free(context)


@both
def test_a_flood_of_key_updates_ends_the_connection(server: Server) -> None:
    """Each costs the server new keys and a response; honest clients send a few in hours."""
    with openssl_connection(server) as (library, connection):
        for _ in range(KEY_UPDATES):
            library.SSL_key_update(connection, UPDATE_REQUESTED)
            if library.SSL_do_handshake(connection) != 1:
                return
        buffer = ctypes.create_string_buffer(1)
        request = b"GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
        library.SSL_write(connection, request, len(request))
        assert library.SSL_read(connection, buffer, 1) <= 0
