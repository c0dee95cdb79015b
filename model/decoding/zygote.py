"""The zygote: has all decoding libraries loaded, reads no upload, and forks the decoders.

It passes descriptors from the parent to decoders, and never reads what is in them. So every decoder
starts within milliseconds, in the same clean state, and reads one upload only.
"""

import gc
import io
import os
import select
import signal
import warnings

from PIL import AvifImagePlugin, Image

from model.decoding.decoder import decode_and_exit
from model.decoding.pdf_fonts import cache_fonts
from model.sandbox import lock, policies
from model.workers.channel import Channel, Message, close_all

_CODECS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def serve(channel: Channel) -> None:
    """Fork decoders until the parent closes the channel.

    The start message `{"memory_bytes", "seccomp"}` gets the response `{"landlock"}`. A request
    with upload, pixel buffer and pipe goes to a new decoder; `{"kill"}` kills the decoder of that
    request. When a decoder has exited, `{"exited", "status", "cpu_s"}` follows.
    """
    message, _ = channel.receive()
    load()
    landlock = restrict(message)
    channel.send({"sequence": message["sequence"], "landlock": landlock})
    Zygote(channel).run()


def load() -> None:
    """Load what decoding imports lazily: codecs, plugins, tables."""
    warnings.simplefilter("ignore")  # a library's warning may quote a file
    Image.init()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a decoder can't start threads
    for codec in _CODECS:
        stream = io.BytesIO()
        Image.new("RGB", (8, 8)).save(stream, codec)
        with Image.open(stream) as image:
            image.convert("RGBA").getexif()
    cache_fonts()
    gc.collect()
    gc.freeze()  # a collection would touch these objects and copy their memory in each decoder


def restrict(message: Message) -> int:
    """Drop files and system calls; return Landlock's version."""
    lock.assert_single_thread()
    lock.limit_memory(lock.address_space_bytes() + message["memory_bytes"])
    landlock = lock.drop_files()
    if message["seccomp"]:
        lock.drop_system_calls(policies.ZYGOTE)
    return landlock


class Zygote:
    """The loop that forks decoders and collects those that have exited."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        # pidfd: process id, and sequence number of the request
        self._decoders: dict[int, tuple[int, int]] = {}
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)

    def run(self) -> None:
        """Serve until the parent closes the channel."""
        try:
            while True:
                for descriptor, _ in self._poll.poll():
                    if descriptor == self._channel.fileno():
                        self._receive()
                    else:
                        self._collect(descriptor)
        except (EOFError, BrokenPipeError):
            return

    def _receive(self) -> None:
        message, descriptors = self._channel.receive()
        try:
            if "kill" in message:
                self._kill(message["kill"])
            else:
                self._fork(message, *descriptors)
        finally:
            close_all(descriptors)

    def _fork(self, request: Message, upload: int, output: int, response: int) -> None:
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self._channel.send({"exited": request["sequence"], "status": None, "cpu_s": 0})
            return
        if pid == 0:
            close_all([self._channel.fileno(), *self._decoders])
            decode_and_exit(request, upload, output, response, zygote)
        # Until the process is collected, its pid can't be given to another one.
        descriptor = os.pidfd_open(pid)
        self._decoders[descriptor] = (pid, request["sequence"])
        self._poll.register(descriptor, select.POLLIN)

    def _kill(self, sequence: int) -> None:
        for descriptor, (_, number) in self._decoders.items():
            if number == sequence:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def _collect(self, descriptor: int) -> None:
        """Collect a decoder; report its exit status and its processor time to the parent."""
        pid, sequence = self._decoders.pop(descriptor)
        _, status, usage = os.wait4(pid, 0)
        self._poll.unregister(descriptor)
        os.close(descriptor)
        exited = {"exited": sequence, "status": os.waitstatus_to_exitcode(status)}
        self._channel.send({**exited, "cpu_s": usage.ru_utime + usage.ru_stime})
