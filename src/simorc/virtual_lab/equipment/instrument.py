"""What all virtual instruments share: carrying out messages, the error queue, status, common commands.

An instrument never sleeps: a reply states the bench time at which it can be read, and whoever delivers it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zlib import crc32

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts, Reply
from simorc.core.scpi import Unit, match, parse_message
from simorc.core.scpi_errors import ErrorQueue, ScpiError
from simorc.core.status_registers import COMMAND_ERROR, MASTER_SUMMARY, OPERATION_COMPLETE, StatusRegisters
from simorc.virtual_lab.equipment.arguments import integer

Handler = Callable[..., "str | None"]
_LONGEST_REPLY = 262_144  # characters in the output queue; assumed


@dataclass(frozen=True, slots=True)
class Command:
    """One line of an instrument's command table.

    Parameters
    ----------
    pattern: header in the notation of manuals, `?` at its end for a query
    handler: called with the instrument, then `extra`, then the arguments as texts
    least, most: how many arguments it takes
    extra: what the table knows about this header
    """

    pattern: str
    handler: Handler
    least: int = 0
    most: int = 0
    extra: tuple[Any, ...] = ()

    def fits(self, unit: Unit) -> bool:
        """Whether a message unit has this header."""
        return self.pattern.endswith("?") == unit.query and match(self.pattern.rstrip("?"), unit.header)


class VirtualScpi:
    """An instrument that carries out SCPI messages by a table; subclasses give identity and table.

    `{serial}` in the identity becomes a number of five digits made from the instrument's name.

    No input raises: what cannot be carried out becomes an entry of the error queue, as in the real instruments.
    """

    identity: ClassVar[str]
    commands: ClassVar[Sequence[Command]]
    queue_size: ClassVar[int] = 20

    def __init__(self, settings: InstrumentSettings, lab: LabPorts) -> None:
        self.name = settings.name
        self.lab = lab
        self.errors = ErrorQueue(self.queue_size)
        self.status = StatusRegisters()
        self.busy_until = 0.0
        self._ready = 0.0
        self._waiting_for_completion = False

    def reset(self) -> None:
        """What `*RST` does."""

    def trigger(self) -> None:
        """What `*TRG` does.

        Raises
        ------
        ScpiError: -211, as nothing waits for a trigger
        """
        raise ScpiError(-211)

    def execute(self, message: str) -> Reply | None:
        """Carry out one program message (see VirtualInstrument)."""
        self._ready = self.lab.clock.now()
        self._note_completion()
        replies = []
        for unit in parse_message(message):
            if isinstance(unit, ScpiError):
                self.report(unit.code)
                break
            self._fill_queue()
            try:
                reply = self._carry_out(unit)
            except ScpiError as error:
                self._push(error)
                # A command error ends the message; an instrument goes on after an execution error.
                if error.event == COMMAND_ERROR:
                    break
                continue
            if reply is not None:
                replies.append(reply)
            if sum(map(len, replies)) > _LONGEST_REPLY:
                self.report(-430)  # nobody can read what is still to come as long as this message goes on
                return None
        return Reply(";".join(replies), self._ready) if replies else None

    def clear(self) -> None:
        """Device clear: forget what was begun; settings stay."""
        self.busy_until = self.lab.clock.now()
        self._waiting_for_completion = False

    def report(self, code: int) -> None:
        """Put an error into the queue, e.g. -410 or -420, which only the interface can notice."""
        self._push(ScpiError(code))

    def status_byte(self) -> int:
        """The status byte for a serial poll."""
        self._note_completion()
        self._fill_queue()
        return self.status.status_byte(errors=len(self.errors) > 0, message=False)

    def take_time(self, seconds: float) -> None:
        """What the instrument does now keeps it busy that much longer; the message's reply comes after it."""
        self.busy_until = max(self.busy_until, self.lab.clock.now()) + seconds
        self.await_idle()

    def await_idle(self) -> None:
        """The message's reply comes when everything begun is done."""
        self._ready = max(self._ready, self.busy_until)

    def _carry_out(self, unit: Unit) -> str | None:
        command = next((c for c in (*self.commands, *COMMON) if c.fits(unit)), None)
        if command is None:
            raise ScpiError(-113)
        if len(unit.arguments) > command.most:
            raise ScpiError(-108)
        if len(unit.arguments) < command.least:
            raise ScpiError(-109)
        return command.handler(self, *command.extra, *unit.arguments)

    def _push(self, error: ScpiError) -> None:
        self.errors.push(error)
        self.status.note(error.event)

    def _fill_queue(self) -> None:
        """The fault `error_queue_full`: whatever is read out comes back at once."""
        if self.lab.fault(self.name, "error_queue_full") is not None:
            while len(self.errors) < self.queue_size:
                self.report(-310)

    def _note_completion(self) -> None:
        if self._waiting_for_completion and self.lab.clock.now() >= self.busy_until:
            self._waiting_for_completion = False
            self.status.note(OPERATION_COMPLETE)

    def drifted(self, value: float) -> float:
        """What the fault `drift` makes of a reading: its size is the relative change per hour."""
        drift = self.lab.fault(self.name, "drift")
        return value if drift is None else value * (1 + drift * self.lab.clock.now() / 3600.0)

    def start_over(self) -> None:
        """`*RST`, which also ends the wait of `*OPC`."""
        self.clear()
        self.reset()

    def ask_identity(self) -> str:
        """`*IDN?`"""
        if self.lab.fault(self.name, "wrong_idn") is not None:
            return "ACME,Model 0,0,0.0"
        return self.identity.format(serial=crc32(self.name.encode()) % 100_000)

    def next_error(self) -> str:
        """`SYST:ERR?`"""
        return self.errors.pop()

    def clear_status(self) -> None:
        """`*CLS`"""
        self._waiting_for_completion = False
        self.errors.clear()
        self.status.take_events()

    def complete(self) -> None:
        """`*OPC`"""
        self._waiting_for_completion = True
        self._note_completion()

    def ask_complete(self) -> str:
        """`*OPC?`"""
        self.await_idle()
        return "1"

    def ask_status(self) -> str:
        """`*STB?`"""
        return f"{self.status_byte():+d}"

    def ask_events(self) -> str:
        """`*ESR?`"""
        self._note_completion()
        return f"{self.status.take_events():+d}"

    def enable_events(self, mask: str) -> None:
        """`*ESE`"""
        self.status.event_enable = integer(mask, 0, 255)

    def enable_requests(self, mask: str) -> None:
        """`*SRE`"""
        self.status.request_enable = integer(mask, 0, 255) & ~MASTER_SUMMARY


def _nothing(instrument: VirtualScpi, *arguments: str) -> None:
    """Understood, and without effect here."""


def constant(text: str) -> Handler:
    """A handler that always answers the same."""

    def answer(instrument: VirtualScpi, *arguments: str) -> str:
        return text

    return answer


ignored: Handler = _nothing

COMMON: tuple[Command, ...] = (
    Command("*IDN?", VirtualScpi.ask_identity),
    Command("*RST", VirtualScpi.start_over),
    Command("*CLS", VirtualScpi.clear_status),
    Command("*OPC", VirtualScpi.complete),
    Command("*OPC?", VirtualScpi.ask_complete),
    Command("*STB?", VirtualScpi.ask_status),
    Command("*ESR?", VirtualScpi.ask_events),
    Command("*ESE", VirtualScpi.enable_events, 1, 1),
    Command("*ESE?", lambda i: f"{i.status.event_enable:+d}"),
    Command("*SRE", VirtualScpi.enable_requests, 1, 1),
    Command("*SRE?", lambda i: f"{i.status.request_enable:+d}"),
    Command("*PSC", _nothing, 1, 1),
    Command("*PSC?", constant("1")),
    Command("*TST?", constant("+0")),
    Command("*OPT?", constant("0")),
    Command("*TRG", lambda i: i.trigger()),
    Command("*WAI", ignored),
    Command("SYSTem:ERRor[:NEXT]?", VirtualScpi.next_error),
    Command("SYSTem:VERSion?", constant("1999.0")),
)
