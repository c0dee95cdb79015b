"""The checks across tables: values that are valid alone, and not together."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from settings import key_checks
from settings.errors import Conflict
from settings.key_checks import Check
from settings.server import DEFAULT_PAIR, bind_host, is_loopback_bind
from settings.tables import UNIX

if TYPE_CHECKING:
    from settings.schema import Settings


def conflicts(settings: "Settings", valid: Collection[str]) -> Iterator[Conflict]:
    """Yield all conflicts between the tables that are `valid`; the others are not looked at."""
    for check, tables in CHECKS:
        if tables <= set(valid):
            yield from check(settings)


def _one_of_each(settings: "Settings") -> Iterator[Conflict]:
    for table, identity, names in (
        ("keys", "id", [key.id for key in settings.keys]),
        ("functions", "path", [function.path for function in settings.functions]),
    ):
        for index, name in enumerate(names):
            if name in names[:index]:
                said = f"[[{table}]] {identity} {name!r} appears twice"
                yield Conflict(said, (table, names.index(name)), (table, index))


def _one_is_enabled(settings: "Settings") -> Iterator[Conflict]:
    if not settings.enabled_functions:
        yield Conflict(
            "all [[functions]] have enabled = false: the service would answer every request with "
            "404; enable one",
            ("functions",),
        )


def _shared_counts(settings: "Settings") -> Iterator[Conflict]:
    if settings.server.workers > 1 and settings.limits.counts_per_process:
        yield Conflict(
            f"workers = {settings.server.workers} would each have their own rate-limit counters; "
            'set [limits] storage = "async+redis://127.0.0.1:6379" or workers = 0',
            ("server", "workers"),
        )


def _policy_comes_before_the_timeout(settings: "Settings") -> Iterator[Conflict]:
    """Refuse a wait after which nothing is left of a request: it would get a 504."""
    wait_s = settings.limits.storage_wait_s
    for function in settings.enabled_functions:
        if not settings.limits.counts_per_process and wait_s >= function.timeout_s:
            yield Conflict(
                f"[limits] storage_wait_s ({wait_s:g}) is not less than timeout_s "
                f"({function.timeout_s:g}) of {function.path}, which would respond with 504 before "
                "on_storage_failure decides; lower the first",
                ("limits", "storage_wait_s"),
            )
            return


def _public_needs_keys(settings: "Settings") -> Iterator[Conflict]:
    if settings.reachable_by and not settings.keys:
        yield Conflict(
            f"{settings.reachable_by[0]} is reachable from other machines, and there are no "
            "[[keys]]; create one with scripts/keys new NAME, or bind to 127.0.0.1",
            ("proxy", "trusted")
            if settings.proxy.trusted and not settings.server.public_binds
            else ("server", "bind"),
        )


def _certificate_header_has_an_effect(settings: "Settings") -> Iterator[Conflict]:
    if settings.tls.client_certificates == "off" and settings.proxy.client_certificate_header:
        yield Conflict(
            "[proxy] client_certificate_header has no effect with [tls] client_certificates = "
            '"off"; certificates from the proxy are verified against [tls] client_ca',
            ("proxy", "client_certificate_header"),
        )


def _loopback_is_this_machine(settings: "Settings") -> Iterator[Conflict]:
    """Refuse the exemption behind a proxy: it, and all that it forwards, may look like loopback."""
    for function in settings.enabled_functions:
        if function.loopback_without_key and settings.proxy.trusted:
            yield Conflict(
                f"[[functions]] {function.path}: loopback_without_key = true with [proxy] trusted "
                "could let requests of other machines through without a key; remove one of them",
                ("functions", function.path, "loopback_without_key"),
                ("proxy", "trusted"),
            )


def _unix_sockets_are_a_proxy_s(settings: "Settings") -> Iterator[Conflict]:
    for key in ("bind", "insecure_bind"):
        for address in getattr(settings.server, key):
            if bind_host(address) == UNIX and not settings.proxy.trusts_unix:
                yield Conflict(
                    f'bind {address} is a Unix socket: set [proxy] trusted = ["unix"], or bind to '
                    "127.0.0.1:8443",
                    ("server", key),
                )


def _plain_http_only_for_a_proxy(settings: "Settings") -> Iterator[Conflict]:
    """Allow plain HTTP only for a trusted proxy on this machine, and for redirects."""
    server, proxy = settings.server, settings.proxy
    if server.has_tls:
        return
    for address in server.bind:
        host = bind_host(address)
        if host == UNIX or (host == "fd" and proxy.trusted):
            continue  # _unix_sockets_are_a_proxy_s has checked whether it is trusted
        if not proxy.trusted or not is_loopback_bind(address) or not proxy.trusts(host):
            yield Conflict(
                f"certfile and keyfile are missing: Hypercorn would serve plain HTTP on "
                f"{address}; set {DEFAULT_PAIR}. Without TLS the service serves only a proxy "
                "on this machine, over a Unix socket or 127.0.0.1, which [proxy] trusted names",
                ("server", "bind"),
            )
            return
    if server.insecure_bind:
        yield Conflict(
            "insecure_bind has no effect without certfile: Hypercorn then opens bind only; set "
            "insecure_bind = [] and let the proxy redirect",
            ("server", "insecure_bind"),
        )


def _addresses_differ(settings: "Settings") -> Iterator[Conflict]:
    addresses = (*settings.server.bind, *settings.server.insecure_bind)
    for index, address in enumerate(addresses):
        if address in addresses[:index] and not address.endswith(":0"):
            yield Conflict(
                f"{address} appears twice in bind and insecure_bind; remove one, or use another "
                "port",
                ("server", "bind"),
                ("server", "insecure_bind"),
            )


CHECKS: tuple[tuple[Check, set[str]], ...] = (
    (_one_of_each, {"keys", "functions"}),
    (_one_is_enabled, {"functions"}),
    (_shared_counts, {"server", "limits"}),
    (_policy_comes_before_the_timeout, {"limits", "functions"}),
    (_public_needs_keys, {"server", "proxy", "keys"}),
    (_certificate_header_has_an_effect, {"tls", "proxy"}),
    (_loopback_is_this_machine, {"functions", "proxy"}),
    (_unix_sockets_are_a_proxy_s, {"server", "proxy"}),
    (_plain_http_only_for_a_proxy, {"server", "proxy"}),
    (_addresses_differ, {"server"}),
    *key_checks.CHECKS,
)
"""Each check, and the tables that it reads."""
