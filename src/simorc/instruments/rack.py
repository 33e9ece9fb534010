"""From a bench's settings to an opened bench: lock, transports, drivers, identities, safe state."""

from __future__ import annotations

from datetime import UTC, date, datetime

from simorc.core.bench import BenchSettings, InstrumentSettings
from simorc.core.equipment import Link, Transport
from simorc.core.errors import InstrumentError, ToolMissingError, UsageError
from simorc.instruments.bench import Bench, EventSink
from simorc.instruments.bench_lock import BenchLock
from simorc.instruments.interfaces import Instrument, identity_record
from simorc.instruments.safety import Guard, GuardedTransport, not_done
from simorc.registry import load


def open_bench(
    settings: BenchSettings,
    on_event: EventSink | None = None,
    *,
    make_safe: bool = True,
    lock: BenchLock | None = None,
) -> Bench:
    """Open a bench: nobody else uses it, every instrument is the one expected, and all outputs are off.

    Parameters
    ----------
    on_event: is told `(kind, sim_time_s, **data)` of whatever happens
    make_safe: whether to begin with the safe state
    lock: one that is held already

    Raises
    ------
    ToolMissingError: in use, out of reach, or another instrument than expected; nothing was switched
    InstrumentError: the safe state cannot be reached, or an error queue never empties
    UsageError: the safe state wants something else than off of what is no chamber
    After either, everything is closed again, the lock too.
    """
    held = lock or BenchLock([i.resource for i in settings.instruments if i.resource])
    try:
        link: Link = load("transports", settings.transport)(settings)
    except BaseException:
        held.close()
        raise
    guard = Guard(settings.limits, settings.real or settings.simulated is not None)
    bench = Bench(settings, link, {}, guard, held, on_event or _nowhere)
    try:
        bench.instruments = {i.name: _driver(i, link, bench) for i in settings.instruments}
        _check_steps(bench)
        bench.identities = [_identified(instrument) for instrument in bench.instruments.values()]
        for warning in calibration_warnings(settings):
            bench.event("calibration", what=warning)
        if make_safe:
            _begin_safely(bench)
    except BaseException:
        bench.close()
        raise
    return bench


def calibration_warnings(settings: BenchSettings, today: date | None = None) -> list[str]:
    """A sentence for every instrument whose calibration is overdue."""
    now = today or datetime.now(UTC).date()
    return [
        f"{i.name}: calibration was due on {i.calibration_due}"
        for i in settings.instruments
        if i.calibration_due and date.fromisoformat(i.calibration_due) < now
    ]


def _driver(settings: InstrumentSettings, link: Link, bench: Bench) -> Instrument:
    driver: type[Instrument] = load("instruments", settings.driver)
    transport: Transport = link.open(settings)
    bench.transports.append(transport)
    guarded = GuardedTransport(transport, settings.name, driver.effects, bench.guard, bench.note)
    return driver(settings, guarded, link.clock, bench.observe)


def _check_steps(bench: Bench) -> None:
    for step in bench.settings.safe_state:
        if step.to != "off" and bench.instruments[step.instrument].kind != "chamber":
            what = f"safe_state: {step.instrument} can only be off, not {step.to}: it is no chamber"
            raise UsageError(what, where=bench.settings.name, hint="safe_state: in the bench's file")


def _identified(instrument: Instrument) -> dict[str, str]:
    settings = instrument.settings
    try:
        identity = instrument.identity()
    except InstrumentError as error:
        what = f"{settings.name} does not answer: {error.what}"
        raise ToolMissingError(what, where=settings.resource, hint="is it on, connected, and nobody else's?") from error
    expected = settings.idn or instrument.expected
    if expected.lower() not in identity.idn.lower():
        raise ToolMissingError(
            f"{settings.name} says {identity.idn!r}, expected {expected!r} in it",
            where=settings.resource or settings.name,
            hint="is the resource right? `idn:` in the bench's file states what to expect",
        )
    return dict(identity_record(instrument, identity))


def _begin_safely(bench: Bench) -> None:
    failed = not_done(bench.make_safe())
    if failed:
        raise InstrumentError(f"the safe state cannot be reached: {failed}", resource=bench.settings.name)
    for instrument in bench.instruments.values():
        errors = instrument.errors()
        if errors:
            bench.event("fault", instrument=instrument.settings.name, errors=errors)


def _nowhere(kind: str, **data: object) -> None:
    """Nobody wants to know."""
