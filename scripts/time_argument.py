"""Times on a command line."""

import argparse
import re
from datetime import UTC, datetime, timedelta

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def duration_of(text: str) -> timedelta | None:
    """Return the duration that a text such as 12h, 7d or 52w is; None if it is none."""
    found = re.fullmatch(r"(\d{1,5})([hdw])", text)
    return int(found[1]) * UNITS[found[2]] if found else None


def time_argument(text: str) -> str:
    """Return a time in UTC as `2027-01-31T12:00:00.000Z`, which compares with those of records.

    It is from a date, a time (in UTC unless it has a zone), or such as 7d: that long ago.

    Raises:
        argparse.ArgumentTypeError: it is none of these.

    """
    ago = duration_of(text)
    try:
        if ago is not None:
            return _iso(datetime.now(UTC) - ago)
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2027-01-31, 2027-01-31T12:00:00Z, 24h, 7d or 2w"
        ) from None
    return _iso(time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC))


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
