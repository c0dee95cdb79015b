"""What is true of a key now, in words."""

from datetime import UTC, datetime, timedelta

from settings import ApiKey, Function, Settings

SOON = timedelta(days=30)


def is_valid(key: ApiKey, now: datetime) -> bool:
    """Return whether a key is valid at a time."""
    return (key.not_before is None or key.not_before <= now) and (
        key.expires is None or now < key.expires
    )


def state_of(key: ApiKey, now: datetime) -> str:
    """Return whether a key is valid, and what will change soon."""
    if key.not_before and now < key.not_before:
        state = f"not yet valid, from {shown(key.not_before)}"
    elif key.expires and key.expires <= now:
        state = f"expired {shown(key.expires)}"
    elif key.expires and key.expires - now <= SOON:
        state = f"expires in {_long(key.expires - now)}"
    else:
        state = "valid"
    end = overlap_end(key)
    if end and now < end:
        state += f", rotating until {shown(end)}"
    return state


def overlap_end(key: ApiKey) -> datetime | None:
    """Return until when the previous key of an entry is valid: no longer than the entry itself."""
    ends = [end for end in (key.previous_expires, key.expires) if end is not None]
    return min(ends) if key.previous_expires else None


def is_rotating(key: ApiKey, now: datetime) -> bool:
    """Return whether the previous key of an entry is still valid."""
    end = overlap_end(key)
    return end is not None and now < end


def functions_of(key: ApiKey, settings: Settings) -> list[Function]:
    """Return the functions that a key may call."""
    return [
        function
        for function in settings.enabled_functions
        if function.scope in key.scopes and (not key.functions or function.path in key.functions)
    ]


def quotas_of(key: ApiKey) -> list[str]:
    """Return the quotas of a key's own entry."""
    quotas = (
        (key.concurrent, "at a time"),
        (key.pages_per_day, "pages a day"),
        (key.pages_per_month, "pages a month"),
    )
    return [f"{number or 'any'} {unit}" for number, unit in quotas if number is not None]


def certificate_of(key: ApiKey) -> str:
    """Return the certificate that a key's entry requires; "" if it requires none."""
    pinned = f"SHA-256 {key.certificate_sha256}" if key.certificate_sha256 else ""
    found = key.certificate_subject or pinned
    return f"{found}, without a key" if found and not key.sha256 else found


def shown(moment: datetime) -> str:
    """Return a time in UTC; midnight as the date alone."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%d" if utc.timetuple()[3:6] == (0, 0, 0) else "%Y-%m-%d %H:%M UTC")


def _long(left: timedelta) -> str:
    minutes = left.seconds // 60
    for number, unit in ((left.days, "day"), (minutes // 60, "hour"), (minutes, "minute")):
        if number:
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return "less than a minute"
