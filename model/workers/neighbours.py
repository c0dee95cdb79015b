"""The serving processes of one service tell each other which pages they have in progress.

Each has a Unix socket in the kernel's abstract namespace, whose name ends with the process's
number, and sends datagrams to the others. No file is written, and nobody waits for an answer.
"""

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

TELL_S = 0.5  # a process that has pages in progress tells so at least this often
FORGET_S = 2.0  # what a process has told is forgotten: it has ended, or is stuck
_OVERLAP = 2  # numbers for each process: one that ends may overlap with its successor
_MOST_BYTES = 1 << 16
_CREDENTIALS = struct.Struct("3i")  # of SCM_CREDENTIALS: process, user, group


class NeighbourPage(NamedTuple):
    """A page in progress: its caller, the caller's requests in that process, the threads it needs.

    `precedes`: whether others may be paused for it.
    """

    caller: str
    requests: int
    threads: int
    precedes: bool


class Neighbours:
    """The other serving processes; `group` is what only those of one service know each other by."""

    def __init__(self, group: str, processes: int) -> None:
        self._group = group
        self._numbers = range(1, processes * _OVERLAP + 1)
        self._socket: socket.socket | None = None
        self._on_change: Callable[[], object] = lambda: None
        self._heard: dict[int, tuple[float, list[NeighbourPage]]] = {}
        self._told: tuple[float, Sequence[NeighbourPage]] = (0.0, ())
        self.number = 0

    def open(self, on_change: Callable[[], object]) -> None:
        """Take the lowest number that is free; call `on_change` when a neighbour has told news.

        A second call does nothing. Without a free number this process neither tells nor hears.
        """
        if self._socket is not None:
            return
        self._on_change = on_change
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        for number in self._numbers:
            with suppress(OSError):  # the number is taken
                self._socket.bind(self._name(number))
                self.number = number
                asyncio.get_running_loop().add_reader(self._socket, self._hear)
                return

    def close(self) -> None:
        """Tell the others that there are no pages any more, and give the number back."""
        if self._socket is not None and self._socket.fileno() >= 0:
            self.tell([])
            if self.number:
                asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def tell(self, pages: Sequence[NeighbourPage]) -> None:
        """Tell the others which pages are in progress, if that is news or was told long ago."""
        told_at, told = self._told
        now = time.monotonic()
        if self._socket is None or not self.number:
            return
        if pages == told and (not pages or now < told_at + TELL_S / 2):
            return
        self._told = now, pages
        message = json.dumps([self.number, pages]).encode()
        for number in self._numbers:
            if number != self.number:
                with suppress(OSError):  # there is no such process, or it hears too slowly
                    self._socket.sendto(message, self._name(number))

    def pages(self) -> Mapping[int, Sequence[NeighbourPage]]:
        """Return the pages in progress of each of the others, by its number."""
        since = time.monotonic() - FORGET_S
        self._heard = {n: each for n, each in self._heard.items() if each[0] > since and each[1]}
        return {number: pages for number, (_, pages) in self._heard.items()}

    def _hear(self) -> None:
        """Receive a datagram; one of another user's process is ignored."""
        if self._socket is None:
            return
        try:
            message, ancillary, _, _ = self._socket.recvmsg(
                _MOST_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size)
            )
        except OSError:
            return
        # Names in the abstract namespace have no permissions: any process may send.
        users = [_CREDENTIALS.unpack(data)[1] for _, kind, data in ancillary
                 if kind == socket.SCM_CREDENTIALS]  # fmt: skip
        if users == [os.geteuid()]:
            with suppress(ValueError, TypeError):
                number, pages = json.loads(message)
                self._heard[number] = time.monotonic(), [NeighbourPage(*page) for page in pages]
            self._on_change()

    def _name(self, number: int) -> str:
        return f"\0sealed-ocr-{self._group}-pages-{number}"
