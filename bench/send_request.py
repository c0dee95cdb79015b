"""Sends the HTTP/1.1 request in a file repeatedly: `python bench/send_request.py PORT CA FILE`.

A line of output for each response: its status. It ends when its standard input does.
"""

import socket
import ssl
import sys
import threading
from pathlib import Path

TIMEOUT_S = 120


def send(port: int, trust: ssl.SSLContext, request: bytes) -> str:
    """Send the request over a new connection; return the status, also of an early response."""
    with (
        socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as bare,
        trust.wrap_socket(bare, server_hostname="localhost") as line,
    ):
        sender = threading.Thread(target=_send_all, args=(line, request))
        sender.start()
        head = b""
        while piece := line.recv(65_536):
            head += piece
        sender.join()
    return head[9:12].decode()


def _send_all(line: ssl.SSLSocket, request: bytes) -> None:
    try:
        line.sendall(request)
    except OSError:  # the service closed after an early response
        return


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main() -> None:
    """Send until standard input ends."""
    port, ca, file = sys.argv[1:]
    trust = ssl.create_default_context(cafile=ca)
    request = Path(file).read_bytes()
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    while not ended.is_set():
        print(send(int(port), trust, request), flush=True)


if __name__ == "__main__":
    main()
