"""Pure: the JSON of a case record, as it stands in a status file.

Written and read for every case of runs with 100,000 of them, therefore by msgspec, a tenth of the time of `json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from numbers import Integral, Real

import msgspec

from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict

SCHEMA = 1
_Number = float | int | None
_Text = str | float | int | None
"""What a hook may have given for a text."""


_NUMBER_TYPES = (float, int)


class ForeignRecordError(ValueError):
    """The text is not the record of that case: truncated, of another case, of another schema."""


class _Measured(msgspec.Struct, omit_defaults=True, gc=False):
    """A measurement as it is written; what is mostly absent is left out."""

    name: _Text
    value: _Number
    unit: _Text
    outcome: Outcome
    verdict: Verdict
    min: _Number
    max: _Number
    margin: _Number
    message: _Text = ""
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
    return str.__str__(value) if isinstance(value, str) else _number(value)


def _number(value: object) -> float:
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"found {value!r} in a record, expected a number or a text")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_decode = msgspec.json.Decoder(_Written).decode


def record_to_json(record: CaseRecord) -> bytes:
    """One line of JSON. It knows no NaN and no infinity: such a limit is none, such a value has outcome `failed`."""
    written = _Written(
        schema=SCHEMA,
        case_id=record.case_id,
        status=record.status,
        error_message=record.error_message,
        error_kind=record.error_kind,
        started=record.started or None,
        finished=record.finished or None,
        duration_s=_finite(record.duration_s),
        worker=record.worker,
        attempt=record.attempt,
        cached_from=record.cached_from or None,
        measurements=tuple([_measured(m) for m in record.measurements]),
        seed=record.seed,
        retries=record.retries,
        fast=record.fast,
        verified=record.verified,
        warnings=record.warnings,
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
        case_id=written.case_id,
        status=written.status,
        attempt=written.attempt,
        error_kind=written.error_kind,
        error_message=written.error_message or "",
        started=written.started or "",
        finished=written.finished or "",
        duration_s=written.duration_s,
        worker=written.worker or "",
        seed=written.seed,
        cached_from=written.cached_from or "",
        measurements=tuple([_measurement(m) for m in written.measurements]),
        retries=written.retries,
        warnings=written.warnings,
        fast=written.fast,
        verified=written.verified,
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
        name=_text(m.name),
        value=value,
        unit=_text(m.unit),
        outcome=Outcome.FAILED if value is None and m.outcome is Outcome.VALUE else m.outcome,
        verdict=m.verdict,
        min=_finite(m.min),
        max=_finite(m.max),
        margin=_finite(m.margin),
        message=_text(m.message),
        uncertainty=_finite(m.uncertainty),
        marginal=m.is_marginal,
    )


def _measurement(m: _Measured) -> Measurement:
    if (m.value is not None and math.isfinite(m.value)) is not (m.outcome is Outcome.VALUE):
        raise ForeignRecordError(f"measurement {m.name!r} has outcome {m.outcome} and value {m.value}")
    return Measurement(
        name=_text(m.name),
        value=m.value,
        unit=_text(m.unit),
        outcome=m.outcome,
        verdict=m.verdict,
        min=m.min,
        max=m.max,
        margin=m.margin,
        message=_text(m.message),
        uncertainty=m.uncertainty,
    )


def _finite(number: float | None) -> float | None:
    """The number as JSON knows it; None where it is none (TypeError: something else)."""
    if number is None or not math.isfinite(number):
        return None
    return number if type(number) in _NUMBER_TYPES else _number(number)


def _text(value: _Text) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
