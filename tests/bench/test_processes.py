"""What the benches know of processes."""

import socket
from pathlib import Path

import pytest

from bench.processes import PORTS, free_ports


def test_no_connection_takes_a_free_port() -> None:
    """They are below the ports that Linux gives out; the control is one that it gives out."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    if lowest < PORTS.stop:
        pytest.skip("this machine has been set to give out lower ports, too")
    with socket.create_server(("127.0.0.1", 0)) as given:
        assert given.getsockname()[1] >= lowest
    with socket.create_server(("127.0.0.1", free_ports(1)[0])) as taken:
        ports = free_ports(5_000)
        assert taken.getsockname()[1] not in ports
    assert len(ports) == len(set(ports)) == 5_000
    assert max(ports) < lowest
