"""Pure: error numbers of SCPI-1999 (volume 2, chapter 21) and the queue that holds them."""

from __future__ import annotations

from collections import deque

from simorc.core.status_registers import COMMAND_ERROR, DEVICE_ERROR, EXECUTION_ERROR, QUERY_ERROR

TEXTS = {
    0: "No error",
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -103: "Invalid separator",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -111: "Header separator error",
    -112: "Program mnemonic too long",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -121: "Invalid character in number",
    -123: "Exponent too large",
    -128: "Numeric data not allowed",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -144: "Character data too long",
    -148: "Character data not allowed",
    -151: "Invalid string data",
    -158: "String data not allowed",
    -168: "Block data not allowed",
    -170: "Expression error",
    -171: "Invalid expression",
    -178: "Expression data not allowed",
    -200: "Execution error",
    -211: "Trigger ignored",
    -213: "INIT ignored",
    -214: "Trigger deadlock",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -230: "Data stale",
    -241: "Hardware missing",
    -310: "System error",
    -330: "Self-test failed",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -400: "Query error",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
    -440: "Query UNTERMINATED after indefinite response",
}


class ScpiError(Exception):
    """A message unit that an instrument refuses, with its error number."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def text(self) -> str:
        """Number and text as an error queue gives them.

        >>> ScpiError(-113, "FOO").text
        '-113,"Undefined header;FOO"'
        """
        words = TEXTS.get(self.code, "Device-specific error")
        return f'{self.code:+d},"{words}{";" + self.detail if self.detail else ""}"'

    @property
    def event(self) -> int:
        """The bit of the standard event status register that it sets (IEEE 488.2, 11.5.1)."""
        classes = {1: COMMAND_ERROR, 2: EXECUTION_ERROR, 3: DEVICE_ERROR, 4: QUERY_ERROR}
        return classes.get(-self.code // 100, DEVICE_ERROR)


class ErrorQueue:
    """First in, first out; when it is full the last entry becomes -350 and further errors are lost.

    Parameters
    ----------
    size: how many errors it holds
    """

    def __init__(self, size: int = 20) -> None:
        self.size = size
        self._errors: deque[str] = deque()  # texts, as an exception keeps alive all that it passed through

    def __len__(self) -> int:
        return len(self._errors)

    def push(self, error: ScpiError) -> None:
        """Append an error."""
        if len(self._errors) < self.size:
            self._errors.append(error.text)
        else:
            self._errors[-1] = ScpiError(-350).text

    def pop(self) -> str:
        """The oldest error as text, `+0,"No error"` when there is none."""
        return self._errors.popleft() if self._errors else ScpiError(0).text

    def clear(self) -> None:
        """Forget all."""
        self._errors.clear()
