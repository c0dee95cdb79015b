"""The objects of a PDF file, written one after the other while the file is being sent.

ISO 32000-1, section 7.5: header, objects, cross-reference table, trailer. The table at the end says
where each object is, so that nothing written before ever changes.
"""

import hashlib
import zlib

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"  # the second line says that the file is binary
_COMPRESSION = 9


class Objects:
    """Writes objects, each once, in any order. `take` returns what was written since the last."""

    def __init__(self) -> None:
        self._offsets = [0]  # by number; 0: not written
        self._position = 0
        self._pending: list[bytes] = []
        self._digest = hashlib.blake2b(digest_size=16)
        self._write(_HEADER)

    def reserve(self) -> int:
        """Return the number of an object that is written later, so that others can refer to it."""
        self._offsets.append(0)
        return len(self._offsets) - 1

    def add(self, number: int, content: bytes) -> None:
        """Write object `number`."""
        self._offsets[number] = self._position
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, content))

    def add_stream(self, number: int, entries: bytes, data: bytes) -> None:
        """Write object `number`, a stream whose dictionary has `entries`, as it is."""
        head = b"<<%b/Length %d>>\nstream\n" % (entries, len(data))
        self.add(number, head + data + b"\nendstream")

    def add_compressed(self, number: int, entries: bytes, data: bytes) -> None:
        """Write object `number`, a stream whose dictionary has `entries`, compressed."""
        compressed = zlib.compress(data, _COMPRESSION)
        self.add_stream(number, entries + b"/Filter/FlateDecode", compressed)

    def end(self, root: int, info: int) -> None:
        """Write the cross-reference table and the trailer.

        The file's identifier is a digest of its content: the same pages make the same file.
        """
        start, count = self._position, len(self._offsets)
        entries = [b"%010d 00000 n \n" % offset for offset in self._offsets[1:]]
        digest = self._digest.hexdigest().encode()
        self._write(
            b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, b"".join(entries))
            + b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]>>\n"
            % (count, root, info, digest, digest)
            + b"startxref\n%d\n%%%%EOF\n" % start
        )

    def take(self) -> bytes:
        """Return the bytes written since the last call."""
        written = b"".join(self._pending)
        self._pending.clear()
        return written

    def _write(self, data: bytes) -> None:
        self._pending.append(data)
        self._position += len(data)
        self._digest.update(data)
