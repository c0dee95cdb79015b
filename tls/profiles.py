"""TLS policy: Mozilla's profiles, and the groups that OpenSSL agrees keys in.

Source: Mozilla's Server Side TLS, guidelines 5.7.
"""

import _ssl
import ctypes
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECOMMENDED = ("X25519MLKEM768", "X25519", "P-256", "P-384")

_HYBRID_SINCE = (3, 5)  # OpenSSL's first version that has X25519MLKEM768
_SUPPORTED_GROUPS = 10  # RFC 8446, section 4.2
_NAMES = {  # IANA's TLS Supported Groups
    0x0017: "P-256", 0x0018: "P-384", 0x0019: "P-521", 0x001D: "X25519", 0x001E: "X448",
    0x11EB: "P-256MLKEM768", 0x11EC: "X25519MLKEM768", 0x11ED: "P-384MLKEM1024",
}  # fmt: skip


OLDEST: Mapping[str, ssl.TLSVersion] = {
    "intermediate": ssl.TLSVersion.TLSv1_2,
    "modern": ssl.TLSVersion.TLSv1_3,
}
"""The oldest version that a profile speaks. Suites of TLS 1.2 are the operator's `ciphers`."""


def choose_groups() -> bool:
    """Leave each context that this process makes from now on with the recommended groups.

    Python before 3.15 can name one group, not several; OpenSSL reads a configuration at any time
    (CONF_modules_load_file). One that OPENSSL_CONF names is the operator's, and stays. Return
    whether that was done: an interpreter with OpenSSL built in shows no such function.
    """
    if "OPENSSL_CONF" in os.environ:
        return False
    hybrid = ssl.OPENSSL_VERSION_INFO[:2] >= _HYBRID_SINCE
    file = HERE / ("openssl-3.5.cnf" if hybrid else "openssl.cnf")
    try:
        load = ctypes.CDLL(_ssl.__file__).CONF_modules_load_file
    except (AttributeError, OSError):
        return False
    load.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong]
    return bool(load(os.fsencode(file), None, 0) == 1)


def groups_in_force() -> tuple[str, ...]:
    """Return the groups of this process's contexts, most wanted first.

    Python before 3.15 can't be asked: so a ClientHello is made, for nobody, and read.
    """
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return tuple(_NAMES.get(group, f"0x{group:04x}") for group in _groups_of(outgoing.read()))


def _groups_of(record: bytes) -> list[int]:
    """Return the supported groups of a ClientHello in one record (RFC 8446, section 4.1.2)."""
    at = 5 + 4 + 2 + 32  # the record's header and the message's, the version, the random number
    at += 1 + record[at]  # the session's id
    at += 2 + _number(record, at)  # suites
    at += 1 + record[at]  # compression
    end = at + 2 + _number(record, at)
    at += 2
    while at < end:
        kind, length = _number(record, at), _number(record, at + 2)
        if kind == _SUPPORTED_GROUPS:
            return [_number(record, each) for each in range(at + 6, at + 4 + length, 2)]
        at += 4 + length
    return []


def _number(record: bytes, at: int) -> int:
    return int.from_bytes(record[at : at + 2])
