"""Pure: times in files are UTC in ISO 8601, such as `2026-01-01T12:00:00.250Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(time: datetime) -> str:
    """A time in UTC, to the millisecond; texts sort as their times do.

    >>> utc_text(datetime(2026, 1, 1, 12, tzinfo=UTC))
    '2026-01-01T12:00:00.000Z'
    """
    here = time if time.tzinfo is UTC else time.astimezone(UTC)
    return here.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_utc(text: object) -> datetime | None:
    """The time a text stands for, or None.

    >>> parse_utc("2026-01-01T12:00:00.000Z")
    datetime.datetime(2026, 1, 1, 12, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        time = datetime.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else None
