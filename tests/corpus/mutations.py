"""Mutants of valid files: for a seed and a number always the same one."""

import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache

from tests.corpus.png import SIGNATURE
from tests.corpus.seeds import SEEDS

_NAMES = tuple(SEEDS)
_HEAD = 64  # bytes in which most of what steers a reader stands
_CHUNK = 64  # bytes that are moved at once, at most
_BOUNDARIES = (0, 1, -1, 2, 7, 8, 16, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 1 << 24,
               (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62)  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_CHANGES = (1, 1, 1, 1, 2, 2, 3, 5, 8)
# Shares of mutants whose type is still told, and whose checksums are right (PNG): without either
# the reading ends before the damage is seen.
_TOLD, _CHECKED = 0.9, 0.8
_MAGIC = 4  # bytes


@cache
def _seed(name: str) -> bytes:
    return SEEDS[name]()


def _place(rng: random.Random, data: Sequence[int]) -> int:
    """Return a position, every other time near the beginning."""
    return rng.randrange(max(1, min(len(data), rng.choice((_HEAD, len(data))))))


def _span(rng: random.Random, data: Sequence[int]) -> slice:
    start = _place(rng, data)
    return slice(start, start + rng.randint(1, _CHUNK))


def _flip_bits(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 2, 8))):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _set_byte(rng: random.Random, data: bytearray) -> None:
    data[_place(rng, data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _set_integer(rng: random.Random, data: bytearray) -> None:
    """Write a number at which programs go wrong, in any width and byte order."""
    code = rng.choice("HIQ")
    number = rng.choice(_BOUNDARIES) & ((1 << 8 * struct.calcsize(code)) - 1)
    start = _place(rng, data)
    new = struct.pack(rng.choice("<>") + code, number)
    data[start : start + len(new)] = new


def _set_digits(rng: random.Random, data: bytearray) -> None:
    """Replace a number that is written out, as PDF has them."""
    found = list(_NUMBER.finditer(bytes(data)))
    if found:
        one = rng.choice(found)
        data[one.start() : one.end()] = b"%d" % rng.choice((*_BOUNDARIES, 3, 4, 5, 6))


def _delete(rng: random.Random, data: bytearray) -> None:
    del data[_span(rng, data)]


def _duplicate(rng: random.Random, data: bytearray) -> None:
    chunk, start = data[_span(rng, data)], _place(rng, data)
    data[start:start] = chunk * rng.choice((1, 1, 1, 100))


def _swap(rng: random.Random, data: bytearray) -> None:
    one, other = sorted((_place(rng, data), _place(rng, data)))
    length = min(rng.randint(1, _CHUNK), other - one)
    first, second = data[one : one + length], data[other : other + length]
    data[other : other + length] = first
    data[one : one + length] = second


def _overwrite(rng: random.Random, data: bytearray) -> None:
    span = _span(rng, data)
    data[span] = rng.choice((bytes(_CHUNK), b"\xff" * _CHUNK, rng.randbytes(_CHUNK)))


def _splice(rng: random.Random, data: bytearray) -> None:
    """Go on with the rest of another file, of any type, or put a piece of it in."""
    other = _seed(rng.choice(_NAMES))
    if rng.random() < 0.5:
        data[_place(rng, data) :] = other[_place(rng, other) :]
    else:
        start = _place(rng, data)
        data[start:start] = other[_span(rng, other)]


def _truncate(rng: random.Random, data: bytearray) -> None:
    del data[max(1, rng.randrange(len(data))) :]


MUTATIONS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    *(_flip_bits, _flip_bits, _set_byte, _set_byte, _set_integer, _set_integer, _set_digits),
    *(_delete, _duplicate, _swap, _overwrite, _splice, _truncate),
)


def _with_checksums(data: bytes) -> bytes:
    """Return a PNG with right checksums, as far as its chunks follow one another."""
    repaired, position = bytearray(data), len(SIGNATURE)
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        if end + 4 > len(data):
            break
        repaired[end : end + 4] = struct.pack(">I", zlib.crc32(data[position + 4 : end]))
        position = end + 4
    return bytes(repaired)


def mutant(seed: int, number: int) -> tuple[str, bytes]:
    """Return the name of the file that was mutated and what became of it."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311 - to be had again, not to be secret
    name = rng.choice(_NAMES)
    data = bytearray(_seed(name))
    for _ in range(rng.choice(_CHANGES)):
        if len(data) > 1:
            rng.choice(MUTATIONS)(rng, data)
    if rng.random() < _TOLD:
        data[:_MAGIC] = _seed(name)[:_MAGIC]
    if data.startswith(SIGNATURE) and rng.random() < _CHECKED:
        return name, _with_checksums(bytes(data))
    return name, bytes(data or b"\0")
