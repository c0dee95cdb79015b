"""IP addresses: the subnet of one, membership of networks, loopback."""

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.addresses import is_loopback, is_within, subnet_of

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("address", "subnet"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_the_subnet_of_an_address(address: str, subnet: str) -> None:
    """An IPv4 address, or an IPv6 /64; an IPv4-mapped address is the IPv4 address."""
    assert subnet_of(address) == subnet


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_lower_half_of_an_ipv6_address_does_not_count(subnet: int, one: int, two: int) -> None:
    """A client cannot avoid a limit by changing it."""
    first, second = (IPv6Address(subnet << 64 | lower) for lower in (one, two))
    assert subnet_of(str(first)) == subnet_of(str(second))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("fd00::1%eth0", True),
        ("192.0.2.1", False),
        ("::1", False),
        ("unknown", False),
    ],
)
def test_membership_of_networks(address: str, *, expected: bool) -> None:
    """IPv4-mapped and scoped addresses included; what is not an address is in no network."""
    assert is_within(address, NETWORKS) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("::1", True), ("192.0.2.1", False), ("local", False)],
)
def test_loopback(address: str, *, expected: bool) -> None:
    """Only loopback addresses are; the name "local" of a Unix socket is not."""
    assert is_loopback(address) is expected
