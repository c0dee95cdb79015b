"""The checks of `[[keys]]` against the other tables."""

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from settings.errors import Conflict

if TYPE_CHECKING:
    from settings.schema import Settings
    from settings.tables import Function
    from settings.toml_lines import Loc

Check = Callable[["Settings"], Iterator[Conflict]]


def _key_limits_have_an_effect(settings: "Settings") -> Iterator[Conflict]:
    by_path = {function.path: function for function in settings.functions}
    for key in settings.keys:
        for path in key.limits:
            said = _why_not(by_path.get(path), key.scopes, '"*" means all functions together')
            if said and path != "*":
                yield Conflict(
                    f"[[keys]] {key.id}: limits has {path!r}, {said}", ("keys", key.id, "limits")
                )


def _scopes_name_functions(settings: "Settings") -> Iterator[Conflict]:
    scopes = {function.scope for function in settings.functions if not function.public}
    for key in settings.keys:
        for scope in key.scopes:
            if scope not in scopes:
                yield Conflict(
                    f"[[keys]] {key.id}: no function has the scope {scope!r}; the scopes of "
                    f"[[functions]] are: {', '.join(sorted(scopes))}",
                    ("keys", key.id, "scopes"),
                )


def _functions_are_in_the_scopes(settings: "Settings") -> Iterator[Conflict]:
    by_path = {function.path: function for function in settings.functions}
    paths = ", ".join(sorted(path for path, each in by_path.items() if not each.public))
    valid = f"those that need a key are: {paths}"
    for key in settings.keys:
        for path in key.functions:
            said = _why_not(by_path.get(path), key.scopes, valid)
            if said:
                yield Conflict(
                    f"[[keys]] {key.id}: functions has {path!r}, {said}",
                    ("keys", key.id, "functions"),
                )


def _why_not(function: "Function | None", scopes: Collection[str], valid: str) -> str:
    """Return why a key cannot name a function, and what would be `valid`; "" if it can."""
    if function is None:
        return f"which is not the path of a function; {valid}"
    if function.public:
        return "which needs no key; remove it"
    if function.scope not in scopes:
        return f"which needs the scope {function.scope!r}; add it to scopes, or remove the path"
    return ""


def _a_month_is_not_less_than_a_day(settings: "Settings") -> Iterator[Conflict]:
    """Refuse a daily quota that the monthly one makes unreachable; 0 is none."""
    limits = settings.limits
    tables: list[tuple[str, Loc, int, int]] = [
        ("[limits]", ("limits",), limits.pages_per_day, limits.pages_per_month)
    ]
    for key in settings.keys:
        if (key.pages_per_day, key.pages_per_month) != (None, None):
            _, day, month = key.quotas(limits)
            tables.append((f"[[keys]] {key.id}", ("keys", key.id), day, month))
    for label, loc, day, month in tables:
        if 0 < month < day:
            yield Conflict(
                f"{label}: pages_per_day ({day}) could never be reached with pages_per_month = "
                f"{month}; lower the first, or raise the second",
                (*loc, "pages_per_day"),
                (*loc, "pages_per_month"),
            )


def _certificates_are_requested(settings: "Settings") -> Iterator[Conflict]:
    off = settings.tls.client_certificates == "off"
    without_key: set[str] = set()
    for key in settings.keys:
        if key.needs_certificate and off:
            yield Conflict(
                f"[[keys]] {key.id}: needs a certificate, but clients are not asked for one; "
                'set [tls] client_certificates = "optional" or "required"',
                ("keys", key.id),
            )
        certificate = key.certificate_subject or key.certificate_sha256 or ""
        if not key.sha256 and certificate in without_key:
            yield Conflict(
                f"[[keys]] {key.id}: another entry without sha256 has the same certificate",
                ("keys", key.id),
            )
        without_key |= set() if key.sha256 else {certificate}


CHECKS: tuple[tuple[Check, set[str]], ...] = (
    (_key_limits_have_an_effect, {"keys", "functions"}),
    (_scopes_name_functions, {"keys", "functions"}),
    (_functions_are_in_the_scopes, {"keys", "functions"}),
    (_a_month_is_not_less_than_a_day, {"keys", "limits"}),
    (_certificates_are_requested, {"keys", "tls"}),
)
"""Each check, and the tables that it reads."""
