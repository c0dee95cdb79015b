"""TLS policy: Mozilla's profiles and key exchange groups.

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
"""The minimum TLS version of each profile. `ciphers` has the TLS 1.2 suites."""


def choose_groups() -> bool:
    """Set the recommended groups as the default of this process's TLS contexts; return whether.

    Python before 3.15 can set one group, not several, so OpenSSL loads a configuration
    (CONF_modules_load_file). Nothing is set if OPENSSL_CONF names the operator's own, or if the
    interpreter has OpenSSL linked statically, without that function.
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
    """Return the groups of this process's contexts, in order of preference.

    Python before 3.15 has no function for it, so they are read from a ClientHello made in memory.
    """
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return tuple(_NAMES.get(group, f"0x{group:04x}") for group in _groups_of(outgoing.read()))


def _groups_of(record: bytes) -> list[int]:
    """Return the supported groups in a ClientHello of one record (RFC 8446, section 4.1.2)."""
    at = 5 + 4 + 2 + 32  # headers of record and message, version, random
    at += 1 + record[at]  # session id
    at += 2 + _number(record, at)  # cipher suites
    at += 1 + record[at]  # compression methods
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
