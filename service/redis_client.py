"""The client of a redis: alone, over TLS, over a Unix socket, or the one that sentinels name."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from service.storage_tls import StorageTls

SENTINEL_PORT = 26379
SENTINELS = ("redis+sentinel", "rediss+sentinel")
PARAMETERS = ("db", "username", "password")
OF_SENTINELS = ("db", "sentinel_username", "sentinel_password")


class UnusableUrl(ValueError):
    """What is wrong with the URL; the message repeats no part of it, which may be the password."""


def redis_client(uri: str, *, wait_s: float, tls: StorageTls) -> tuple[Redis, Sentinel | None]:
    """Return a client of the redis at `uri`, which begins with async+, and of its sentinels.

    They connect when they are used.

    Raises:
        UnusableUrl: the URL lacks something, or has something that would be ignored.
        ValueError: it has something that redis-py does not take.

    """
    uri = uri.removeprefix("async+")
    options = _options(wait_s)
    if uri.startswith(SENTINELS):
        return _named_by_sentinels(uri, options, tls)
    _check(uri)
    if uri.startswith("rediss:"):
        options |= tls.options()
    return Redis.from_url(uri.replace("redis+unix:", "unix:", 1), **options), None


def _check(uri: str) -> None:
    """Refuse what redis-py ignores, or finds only when it connects.

    Raises:
        UnusableUrl: there is such a thing.

    """
    parts = urlsplit(uri)
    database = parts.path.strip("/")
    if parts.scheme == "redis+unix":
        if not database:
            raise UnusableUrl("the path of the socket is missing")
    elif not parts.hostname:
        raise UnusableUrl("the host is missing")
    elif database and not database.isdecimal():
        raise UnusableUrl("the database behind the host is not a number")
    _check_parameters(parts, PARAMETERS)


def _check_parameters(parts: SplitResult, known: Sequence[str]) -> None:
    if not {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} <= {*known}:
        raise UnusableUrl(f"it has another parameter than {', '.join(known)}; write %3F for a ? "
                          "in the password")  # fmt: skip
    if parts.fragment:
        raise UnusableUrl("it has a #; write %23 for one in the password")


def _options(wait_s: float) -> dict[str, Any]:
    """Return the options of every connection.

    The timeouts are redis-py's own, so that the next request does not get a hung connection. One
    retry, without a pause, is for a connection that broke while nobody used it, as when redis was
    restarted. RESP 2 needs no command beside AUTH and SELECT that an ACL would have to allow.
    """
    return {
        "socket_timeout": wait_s,
        "socket_connect_timeout": wait_s,
        "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        "protocol": 2,
        "driver_info": None,
    }


def _named_by_sentinels(
    uri: str, options: dict[str, Any], tls: StorageTls
) -> tuple[Redis, Sentinel]:
    parts = urlsplit(uri)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = map(unquote, credentials.partition(":"))
    _check_parameters(parts, OF_SENTINELS)
    query = dict(parse_qsl(parts.query))
    service = parts.path.strip("/")
    if not service:
        raise UnusableUrl("the name of the service is missing behind the hosts")
    if parts.scheme.startswith("rediss"):
        options |= {"ssl": True, **tls.options()}
    sentinels = [_host_and_port(each) for each in hosts.split(",")]
    wait_s = options["socket_timeout"] / (len(sentinels) + 1)  # one that hangs leaves time for all
    of_sentinels = {
        **options,
        "socket_timeout": wait_s,
        "socket_connect_timeout": wait_s,
        **_credentials(query.pop("sentinel_username", ""), query.pop("sentinel_password", "")),
    }
    database = int(query.pop("db", "0"))
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        sentinels,
        sentinel_kwargs=of_sentinels,
        **options,
        **_credentials(user, password),
        db=database,
    )
    return sentinel.master_for(service), sentinel


def _credentials(user: str, password: str) -> Mapping[str, str]:
    given = {"username": user, "password": password}
    return {name: value for name, value in given.items() if value}


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise UnusableUrl("a host is missing")
    return parts.hostname, parts.port or SENTINEL_PORT
