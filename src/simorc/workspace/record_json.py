"""Pure: the JSON of a case record, as it stands in a status file.

Written and read for every case of runs with 100,000 of them, therefore by msgspec, a tenth of the time of `json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from numbers import Real

import msgspec

from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict

SCHEMA = 1
_Number = float | int | None


class ForeignRecordError(ValueError):
    """The text is not the record of that case: truncated, of another case, of another schema."""


class _Measured(msgspec.Struct, omit_defaults=True, gc=False):
    """A measurement as it is written; what is mostly absent is left out."""

    name: str
    value: _Number
    unit: str
    outcome: Outcome
    verdict: Verdict
    min: _Number
    max: _Number
    margin: _Number
    message: str = ""
    uncertainty: _Number = None
    marginal: bool = False


class _Written(msgspec.Struct, omit_defaults=True, gc=False):
    """A record as it is written; what is mostly absent is left out."""

    schema: int
    case_id: int
    status: Status
    error_message: str | None
    error_kind: ErrorKind | None
    started: str | None
    finished: str | None
    duration_s: _Number
    worker: str | None
    attempt: int
    cached_from: str | None
    measurements: tuple[_Measured, ...]
    seed: int | None = None
    retries: tuple[Mapping[str, str], ...] = ()
    fast: bool = False
    verified: str = ""
    warnings: tuple[str, ...] = ()


def _plain(value: object) -> float | str:
    """A number of numpy's, or a text of a class of its own, as what JSON knows (TypeError: anything else)."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"found {value!r} in a record")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_decode = msgspec.json.Decoder(_Written).decode


def record_to_json(record: CaseRecord) -> bytes:
    """One line of JSON. It knows no NaN and no infinity: such a limit is none, such a value has outcome `failed`."""
    written = _Written(
        SCHEMA,
        record.case_id,
        record.status,
        record.error_message,
        record.error_kind,
        record.started or None,
        record.finished or None,
        _finite(record.duration_s),
        record.worker,
        record.attempt,
        record.cached_from or None,
        tuple([_measured(m) for m in record.measurements]),
        record.seed,
        record.retries,
        record.fast,
        record.verified,
        record.warnings,
    )
    try:
        return _encode(written) + b"\n"
    except UnicodeEncodeError:  # half a character of a file name or a log: JSON has an escape for it, UTF-8 nothing
        return json.dumps(msgspec.to_builtins(written, enc_hook=_plain)).encode() + b"\n"


def record_from_json(text: bytes | str, case_id: int | None = None) -> CaseRecord:
    """The record of one case, by default of whichever it says.

    Raises
    ------
    ForeignRecordError: the text is not the record of that case
    """
    try:
        written = _decoded(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ForeignRecordError(f"{type(error).__name__}: {error}") from error
    if written.schema != SCHEMA or written.case_id != (written.case_id if case_id is None else case_id):
        raise ForeignRecordError(f"schema {written.schema}, case {written.case_id}")
    return CaseRecord(
        written.case_id,
        written.status,
        written.attempt,
        written.error_kind,
        written.error_message or "",
        written.started or "",
        written.finished or "",
        written.duration_s,
        written.worker or "",
        written.seed,
        written.cached_from or "",
        tuple([_measurement(m) for m in written.measurements]),
        written.retries,
        written.warnings,
        written.fast,
        written.verified,
    )


def _decoded(text: bytes | str) -> _Written:
    try:
        return _decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # half a character
        return msgspec.convert(json.loads(text), _Written)


def _measured(m: Measurement) -> _Measured:
    value = _finite(m.value)
    return _Measured(
        m.name,
        value,
        m.unit,
        Outcome.FAILED if value is None and m.outcome is Outcome.VALUE else m.outcome,
        m.verdict,
        _finite(m.min),
        _finite(m.max),
        _finite(m.margin),
        m.message,
        _finite(m.uncertainty),
        m.is_marginal,
    )


def _measurement(m: _Measured) -> Measurement:
    if (m.value is not None and math.isfinite(m.value)) is not (m.outcome is Outcome.VALUE):
        raise ForeignRecordError(f"measurement {m.name!r} has outcome {m.outcome} and value {m.value}")
    return Measurement(m.name, m.value, m.unit, m.outcome, m.verdict, m.min, m.max, m.margin, m.message, m.uncertainty)


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
