"""The process that decoders are forked from: everything loaded, nothing seen.

It takes descriptors from the parent and hands them on; not a byte of an upload passes through it.
So each decoder begins as clean as the first, within milliseconds, and no process that parses a
file ever sees another.
"""

import gc
import io
import os
import select
import signal
import warnings

from PIL import Image

from model.decoding.decoder import decode_and_exit
from model.decoding.pdf_fonts import remember_fonts
from model.sandbox import lock, policies
from model.workers.channel import Channel, Message, close_all

_CODECS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def serve(channel: Channel) -> None:
    """Fork until the parent closes the channel.

    A start message `{"memory_bytes", "seccomp"}` is answered `{"landlock"}`. A question with an
    upload, room for pixels and a pipe goes to a decoder; `{"kill"}` ends that one. When a decoder
    is gone, `{"ended", "status"}` says how.
    """
    message, _ = channel.receive()
    load()
    landlock = lock_down(message)
    channel.send({"sequence": message["sequence"], "landlock": landlock})
    Zygote(channel).run()


def load() -> None:
    """Load what decoding imports late: codecs, plugins, tables; and hush them."""
    warnings.simplefilter("ignore")  # what a file makes a library say is for nobody
    Image.init()
    for codec in _CODECS:
        stream = io.BytesIO()
        Image.new("RGB", (8, 8)).save(stream, codec)
        with Image.open(stream) as image:
            image.convert("RGBA").getexif()
    remember_fonts()
    gc.collect()
    gc.freeze()  # what is here stays; looking at it would copy its memory into each decoder


def lock_down(message: Message) -> int:
    """Give up files and system calls; return Landlock's version."""
    lock.assert_single_task()
    lock.limit(memory_bytes=lock.address_space_bytes() + message["memory_bytes"])
    landlock = lock.give_up_files()
    if message["seccomp"]:
        lock.give_up_calls(policies.ZYGOTE)
    return landlock


class Zygote:
    """The decoders there are, by their descriptors."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._decoders: dict[int, int] = {}  # descriptor of a process: sequence number
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)

    def run(self) -> None:
        """Serve until the parent is gone."""
        try:
            while True:
                for descriptor, _ in self._poll.poll():
                    if descriptor == self._channel.fileno():
                        self._take()
                    else:
                        self._collect(descriptor)
        except (EOFError, BrokenPipeError):
            return

    def _take(self) -> None:
        message, descriptors = self._channel.receive()
        try:
            if "kill" in message:
                self._kill(message["kill"])
            else:
                self._fork(message, *descriptors)
        finally:
            close_all(descriptors)

    def _fork(self, question: Message, upload: int, room: int, answer: int) -> None:
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self._channel.send({"ended": question["sequence"], "status": None})
            return
        if pid == 0:
            close_all([self._channel.fileno(), *self._decoders])
            decode_and_exit(question, upload, room, answer, zygote)
        # The number is ours until we collect the process, so that this cannot be another.
        descriptor = os.pidfd_open(pid)
        self._decoders[descriptor] = question["sequence"]
        self._poll.register(descriptor, select.POLLIN)

    def _kill(self, sequence: int) -> None:
        for descriptor, number in self._decoders.items():
            if number == sequence:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def _collect(self, descriptor: int) -> None:
        """Tell the parent how a decoder ended."""
        ended = os.waitid(os.P_PIDFD, descriptor, os.WEXITED)
        status = 0
        if ended is not None:
            by_signal = ended.si_code != os.CLD_EXITED
            status = -ended.si_status if by_signal else ended.si_status
        self._poll.unregister(descriptor)
        sequence = self._decoders.pop(descriptor)
        os.close(descriptor)
        self._channel.send({"ended": sequence, "status": status})
