"""deploy/redis.conf: TLS alone, one user that can count and no more, and nothing is evicted."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from bench.processes import free_port
from middleware.counting.storage import Lease, Period, StorageFailed, Window
from service.storage import open_storage
from settings import Limits
from tests.authorities import CLIENT, Authority
from tests.deploy.units import ROOT
from tests.service.redis_servers import redis_server

FORBIDDEN = ("KEYS *", "FLUSHALL", "CONFIG GET maxmemory", "GET other", "ACL LIST", "MONITOR",
             "EVAL return(1) 0", "SCRIPT FLUSH", "DEL sealed-ocr:pages")  # fmt: skip
pytestmark = pytest.mark.anyio
WORD = "a long/password"


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """Issue the certificates of redis and of a client; return the client's settings."""
    authority, folder = Authority("redis CA"), tmp_path / "tls"
    authority.issue("redis", names=["localhost"]).write(folder, "redis")
    certfile, keyfile = authority.issue("ocr", usage=CLIENT).write(folder, "client")
    (folder / "redis.key").rename(folder / "redis-key.pem")
    (folder / "ca.pem").write_bytes(authority.pem)
    return {
        "storage_ca": str(folder / "ca.pem"),
        "storage_certfile": str(certfile),
        "storage_keyfile": str(keyfile),
    }


@pytest.fixture
def port(tmp_path: Path, tls: dict[str, str]) -> Iterator[int]:  # noqa: ARG001 - it needs the files
    """Start redis with the file as shipped, but for its paths, port and password."""
    port = free_port()
    text = (ROOT / "deploy/redis.conf").read_text("utf-8")
    for before, after in {
        "SHA256-OF-THE-PASSWORD": hashlib.sha256(WORD.encode()).hexdigest(),
        "/etc/redis/tls": f"{tmp_path}/tls",
        "tls-port 6379": f"tls-port {port}",
        "bind 0.0.0.0": "bind 127.0.0.1",
        "/var/lib/redis": str(tmp_path),
    }.items():
        assert before in text
        text = text.replace(before, after)
    file = tmp_path / "redis.conf"
    file.write_text(text, "utf-8")
    with redis_server(str(file), directory=tmp_path, port=port):
        yield port


async def _count(uri: str, **files: Any) -> None:
    """Do everything that a storage does."""
    limits = Limits(storage=SecretStr(uri), storage_wait_s=5, **files)
    storage = open_storage(limits, Path())
    try:
        await storage.check()
        (counted,) = await storage.count([Window("window", 3, 60)])
        assert counted.allowed
        day = Period("pages", 9, 4_000_000_000)
        assert (await storage.charge("a", 1, 5, [day], keep_s=60)).used == [5]
        assert (await storage.give_back("a", 2, [day], keep_s=60)).used == [3]
        lease = Lease("leases", "a", 1, 60)
        assert await storage.lease(lease) == (True, 1)
        await storage.release(lease)
        await storage.release(lease)
    finally:
        await storage.aclose()


async def test_it_counts_over_mutual_tls_and_does_no_more(port: int, tls: dict[str, str]) -> None:
    """The user can do what the service does, and nothing with the data of others."""
    host = f"localhost:{port}/0"
    uri = f"async+rediss://sealed-ocr:a%20long%2Fpassword@{host}"
    await _count(uri, **tls)
    for other, files in (
        (uri.replace("long", "short"), tls),
        (f"async+rediss://{host}", tls),
        (f"async+redis://sealed-ocr:a%20long%2Fpassword@{host}", {}),
        (uri, {}),  # the CA is none of the system's
        (uri, {"storage_ca": tls["storage_ca"]}),  # no client certificate
        (uri.replace("localhost", "127.0.0.1"), tls),  # not a name in the certificate
    ):
        with pytest.raises(StorageFailed):
            await _count(other, **files)
    with redis.Redis(
        host="localhost",
        port=port,
        username="sealed-ocr",
        password=WORD,
        protocol=2,
        ssl=True,
        ssl_ca_certs=tls["storage_ca"],
        ssl_certfile=tls["storage_certfile"],
        ssl_keyfile=tls["storage_keyfile"],
    ) as client:
        for command in FORBIDDEN:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split(" "))


def test_nothing_is_evicted() -> None:
    """A quota that is evicted is renewed."""
    text = (ROOT / "deploy/redis.conf").read_text("utf-8")
    assert re.search(r"^maxmemory-policy noeviction$", text, re.MULTILINE)


async def test_the_user_s_commands_are_those_of_the_scripts() -> None:
    """Each that a script calls, and no other but to connect and to run scripts."""
    from middleware.counting import redis_scripts  # noqa: PLC0415

    scripts = "".join(text for name, text in vars(redis_scripts).items() if name.isupper())
    called = {each.lower() for each in re.findall(r"redis\.call\('(\w+)'", scripts)}
    text = (ROOT / "deploy/redis.conf").read_text("utf-8")
    allowed = set(re.findall(r"\+(\S+)", text[text.index("user sealed-ocr") :].split("\n")[0]))
    assert allowed == called | {"select", "evalsha", "script|load"}
