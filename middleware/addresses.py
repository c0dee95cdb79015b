"""IP addresses of clients: the subnet that is counted, membership of networks, loopback."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

IPV6_SUBNET_BITS = 64  # what a provider assigns to one customer, who can use any address of it


def subnet_of(address: str) -> str:
    """Return the subnet by which a client is counted: an IPv4 address or an IPv6 /64."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:  # noqa: PLR2004 - IPv4
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((ip, IPV6_SUBNET_BITS), strict=False))


def is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Return whether an address, IPv4-mapped IPv6 included, belongs to one of the networks."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in networks)


def is_loopback(address: str) -> bool:
    """Return whether an IP address is a loopback address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
