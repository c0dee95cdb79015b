"""The top level: the supported keys of Hypercorn."""

import re

import pytest
from hypercorn.config import Config

from settings.server import UNSUPPORTED, Server, bind_host, is_loopback_bind
from tests.settings.conftest import KEY, MINIMAL, Load, Refuse


@pytest.mark.parametrize("key", Server.model_fields)
def test_hypercorn_has_each_key(key: str) -> None:
    """Each supported key is an attribute of Hypercorn's Config, with the same default."""
    default = Server.model_fields[key].default
    actual = getattr(Config(), key)
    assert actual == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize("key", UNSUPPORTED)
def test_hypercorn_has_each_unsupported_key(key: str) -> None:
    """Each unsupported key exists in Hypercorn."""
    assert hasattr(Config, key) or key in Config.__annotations__
    assert key not in Server.model_fields


@pytest.mark.parametrize("key", UNSUPPORTED)
def test_an_unsupported_key_is_rejected_with_the_reason(key: str, refuse: Refuse) -> None:
    """The message has what to use instead, or why there is nothing."""
    message = refuse(top=f'{key} = "x"')
    assert message == f"settings.toml: {key}: not supported: {UNSUPPORTED[key]}"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("certfil = 'x'", "certfil: unknown key; did you mean certfile?"),
        ("insecure_binds = []", "insecure_binds: unknown key; did you mean insecure_bind?"),
        ("worker = 2", "worker: unknown key; did you mean workers?"),
        ("zzz = 2", "zzz: unknown key; valid names: backlog, bind"),
    ],
)
def test_a_misspelled_key_is_named(line: str, hint: str, refuse: Refuse) -> None:
    """Hypercorn would accept and ignore any key; the message suggests the right one."""
    assert refuse(top=line).startswith(f"settings.toml: {hint}")


@pytest.mark.parametrize(
    "line",
    [
        'workers = "2"',
        "workers = -1",
        "workers = true",
        "backlog = 0",
        "bind = 8443",
        "bind = []",
        'bind = ["127.0.0.1"]',
        'bind = ["::1:8443"]',
        'bind = ["127.0.0.1:99999"]',
        'bind = ["unix:x.sock"]',
        "graceful_timeout = inf",
        "keep_alive_timeout = 0",
        'worker_class = "trio"',
        'loglevel = "LOUD"',
        'ciphers = "ALL"',
        'ciphers = "ECDHE+AESGCM:AES256-SHA"',
        "h2_max_inbound_frame_size = 1",
    ],
)
def test_an_invalid_value_is_rejected(line: str, refuse: Refuse) -> None:
    """Types and ranges are validated, since Hypercorn validates neither."""
    assert f"settings.toml: {line.partition(' ')[0]}: " in refuse(top=line)


def test_one_bind_may_be_a_string(load: Load) -> None:
    """As in Hypercorn, it is a string or a list."""
    assert load(top='bind = "[::1]:8443"').server.bind == ("[::1]:8443",)


def test_the_server_header_must_be_off(refuse: Refuse) -> None:
    """It discloses Hypercorn's name and version."""
    main = MINIMAL.replace("include_server_header = false", "include_server_header = true")
    assert "include_server_header: must be false" in refuse(main=main)


def test_the_server_header_must_be_set(refuse: Refuse) -> None:
    """Hypercorn's default is true."""
    message = refuse(main=MINIMAL.replace("include_server_header = false", ""))
    assert "include_server_header: must be false" in message


@pytest.mark.parametrize("key", ["certfile", "keyfile"])
def test_plain_http_on_the_tls_port_is_refused(key: str, refuse: Refuse) -> None:
    """Without a certificate or its key Hypercorn would serve plain HTTP where TLS is expected."""
    message = refuse(main=re.sub(rf"(?m)^{key} = .*$", "", MINIMAL))
    assert message.startswith(f"settings.toml: {key} is missing: Hypercorn would serve plain HTTP")
    assert 'certfile = "tls/local/certificate.pem"' in message


@pytest.mark.parametrize("bind", ["0.0.0.0:8443", "[::]:8443", "ocr.example.org:443", "fd://3"])
@pytest.mark.parametrize("key", ["bind", "insecure_bind"])
def test_a_public_address_needs_a_key(key: str, bind: str, load: Load, refuse: Refuse) -> None:
    """A service that other machines can reach requires at least one key."""
    message = refuse(top=f'{key} = ["127.0.0.1:1", "{bind}"]')
    assert f"bind {bind} is reachable from other machines" in message
    assert "scripts/keys new" in message
    assert load(KEY, top=f'{key} = "{bind}"').server.public_binds == (bind,)


@pytest.mark.parametrize("bind", ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1"])
def test_loopback_is_not_public(bind: str) -> None:
    """Only this machine can reach it."""
    assert is_loopback_bind(bind)
    assert (
        Server(bind=(bind,), certfile="c", keyfile="k", include_server_header=False).public_binds
        == ()
    )


@pytest.mark.parametrize("bind", ["127.1:1", "localhost.example.org:1", "128.0.0.1:1", "fd://0"])
def test_other_addresses_are_public(bind: str) -> None:
    """A host name, a short form and an inherited socket count as public."""
    assert not is_loopback_bind(bind)


def test_bind_host() -> None:
    """It removes the port."""
    assert [bind_host(a) for a in ("h:1", "[::1]:2", "fd://3")] == ["h", "::1", "fd"]
