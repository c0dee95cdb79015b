"""Forwarding headers: RFC 7239's grammar, and the common forms of X-Forwarded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from middleware.errors import MalformedForwarding
from middleware.forwarded import MAX_HOPS, Hop, read_hops


def _hops(*texts: str, kind: str = "forwarded", name: str = "forwarded") -> list[tuple[str, ...]]:
    raw = [(name.encode(), text.encode("latin-1")) for text in texts]
    return [(hop.client, hop.scheme or "") for hop in read_hops(Headers(raw=raw), kind)]


@pytest.mark.parametrize(
    ("text", "hops"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", [("192.0.2.60", "http")]),
        ('For="[2001:db8:cafe::17]:4711"', [("2001:db8:cafe::17", "")]),
        ("for=192.0.2.43, for=198.51.100.17", [("192.0.2.43", ""), ("198.51.100.17", "")]),
        ('for="_gazonk"', [("_gazonk", "")]),
        ("for=unknown;proto=https", [("unknown", "https")]),
        ("for=_hidden, for=_SEVKISEK", [("_hidden", ""), ("_SEVKISEK", "")]),
        ('for="192.0.2.43:47011";host=example.com', [("192.0.2.43", "")]),
        ('for="192.0.2.43:_port"', [("192.0.2.43", "")]),
        ('for="[2001:DB8::1]"', [("2001:db8::1", "")]),
        ("proto=HTTPS", [("unknown", "https")]),
        (';for=192.0.2.1;;secret="a,b;c=\\"d"', [("192.0.2.1", "")]),
        (", for=192.0.2.1 ,, for=192.0.2.2,", [("192.0.2.1", ""), ("192.0.2.2", "")]),
        ("", []),
        (" , ", []),
    ],
)
def test_forwarded_is_parsed(text: str, hops: list[tuple[str, str]]) -> None:
    """RFC 7239's examples, and edge cases of lists, quotes and case."""
    assert _hops(text) == hops


def test_header_lines_are_one_list() -> None:
    """In the order sent (RFC 9110, section 5.3)."""
    assert _hops("for=192.0.2.1", "for=192.0.2.2") == [("192.0.2.1", ""), ("192.0.2.2", "")]


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1",
        "for",
        "for=",
        "for =192.0.2.1",
        "for= 192.0.2.1",
        "for=192.0.2.1; proto=https",
        "for=192.0.2.1 ;proto=https",
        "for=192.0.2.1 for=192.0.2.2",
        "for=192.0.2.1;for=192.0.2.2",
        "for=192.0.2.1;FOR=192.0.2.2",
        "for=192.0.2.1;proto=https;proto=http",
        "for=192.0.2.1:80",
        "for=[2001:db8::1]",
        'for="2001:db8::1"',
        'for="[2001:db8::1"',
        'for="[2001:db8:::1]"',
        'for="[::1%eth0]"',
        "for=256.0.0.1",
        "for=192.0.2",
        "for=example.org",
        "for=_",
        'for="192.0.2.1',
        'for=192.0.2.1"',
        'for="192.0.2.1"x',
        'for=""',
        "for=192.0.2.1;proto=ftp",
        'for=192.0.2.1;proto="https "',
        'for="192.0.2.1:999999"',
        "for=\xff",
        "=192.0.2.1",
        'for="_a\nb"',
        "for=192.0.2.1,for",
    ],
)
def test_malformed_forwarded_is_rejected(text: str) -> None:
    """A header that is only partly valid is not used."""
    with pytest.raises(MalformedForwarding):
        _hops(text)


@pytest.mark.parametrize(
    ("clients", "schemes", "hops"),
    [
        (["192.0.2.1"], ["https"], [("192.0.2.1", "https")]),
        (["192.0.2.1, 10.0.0.1"], ["https"], [("192.0.2.1", "https"), ("10.0.0.1", "https")]),
        (["192.0.2.1,10.0.0.1"], ["https, http"], [("192.0.2.1", "https"), ("10.0.0.1", "http")]),
        (["192.0.2.1", "10.0.0.1"], [], [("192.0.2.1", ""), ("10.0.0.1", "")]),
        (["2001:db8::1"], ["http"], [("2001:db8::1", "http")]),
        (["[2001:db8::1]:99, 192.0.2.1:5"], [], [("2001:db8::1", ""), ("192.0.2.1", "")]),
        ([], ["https"], [("unknown", "https")]),
        ([], [], []),
    ],
)
def test_x_forwarded_is_parsed(
    clients: list[str], schemes: list[str], hops: list[tuple[str, str]]
) -> None:
    """Addresses in all common forms; a scheme for each, or one for all."""
    raw = [(b"x-forwarded-for", text.encode()) for text in clients]
    raw += [(b"x-forwarded-proto", text.encode()) for text in schemes]
    found = read_hops(Headers(raw=raw), "x-forwarded")
    assert [(hop.client, hop.scheme or "") for hop in found] == hops


@pytest.mark.parametrize(
    ("clients", "schemes"),
    [
        ("unknown", "https"),
        ("192.0.2.1,", "https"),
        (",", "https"),
        ("example.org", "https"),
        ("192.0.2.1", "https,http"),
        ("192.0.2.1", "wss"),
        ("192.0.2.1", "https, "),
        ("[192.0.2.1]:1:1", "https"),
        ("fe80::1%eth0", "https"),
        ("unix:", "https"),
    ],
)
def test_malformed_x_forwarded_is_rejected(clients: str, schemes: str) -> None:
    """Invalid addresses and schemes, and different numbers of them."""
    raw = [(b"x-forwarded-for", clients.encode()), (b"x-forwarded-proto", schemes.encode())]
    with pytest.raises(MalformedForwarding):
        read_hops(Headers(raw=raw), "x-forwarded")


def test_the_other_kind_is_ignored() -> None:
    """A proxy that sets one kind may pass on the other from any client."""
    raw = [(b"x-forwarded-for", b"nonsense"), (b"forwarded", b"for=192.0.2.1")]
    assert read_hops(Headers(raw=raw), "forwarded") == [Hop("192.0.2.1", None)]


def test_the_number_of_hops_is_bounded() -> None:
    """At 32."""
    assert len(_hops(", ".join(["for=_x"] * MAX_HOPS))) == MAX_HOPS
    with pytest.raises(MalformedForwarding):
        _hops(", ".join(["for=_x"] * (MAX_HOPS + 1)))


_ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
_ANYTHING = st.text(st.characters(max_codepoint=255), max_size=60)


@given(st.lists(st.tuples(_ADDRESSES, st.sampled_from(["http", "https"])), max_size=9))
def test_valid_headers_round_trip(hops: list[tuple[object, str]]) -> None:
    """For any chain of addresses."""
    text = ", ".join(
        f'for="[{ip}]";proto={proto}' if ":" in str(ip) else f"for={ip};proto={proto}"
        for ip, proto in hops
    )
    assert _hops(text) == [(str(ip).lower(), proto) for ip, proto in hops]


@given(_ANYTHING)
def test_any_header_is_parsed_or_rejected(text: str) -> None:
    """No other exception is raised."""
    for kind, name in (("forwarded", "forwarded"), ("x-forwarded", "x-forwarded-for")):
        try:
            _hops(text, kind=kind, name=name)
        except MalformedForwarding:
            continue


def test_a_hostile_header_costs_little() -> None:
    """8 KB and 64 KB of it are rejected without backtracking."""
    for text in (
        '"' + '\\"' * 4000,
        'for="' + "\\a" * 30_000,
        "a=" * 30_000,
        '"' * 60_000,
        "for=_" + "a" * 60_000 + "!(",
    ):
        with pytest.raises(MalformedForwarding):
            _hops(text)
