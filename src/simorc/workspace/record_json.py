"""Pure: the JSON of a case record, as it stands in a status file.

Written and read for every case of runs with 100,000 of them, therefore by hand instead of by reflection.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict

SCHEMA = 1
_encode = json.JSONEncoder(allow_nan=False).encode
_STATUSES = {str(member): member for member in Status}
_KINDS = {str(member): member for member in ErrorKind}
_OUTCOMES = {str(member): member for member in Outcome}
_VERDICTS = {str(member): member for member in Verdict}
_NUMBER_TYPES: frozenset[type] = frozenset({float, int, type(None)})
_TEXT_TYPES: frozenset[type] = frozenset({str, type(None)})


class ForeignRecordError(ValueError):
    """The text is not the record of that case: truncated, of another case, of another schema."""


def record_to_json(record: CaseRecord) -> str:
    """One line of JSON. It knows no NaN and no infinity: such a limit is none, such a value has outcome `failed`."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "case_id": record.case_id,
        "status": record.status,
        "error_message": record.error_message,
        "error_kind": record.error_kind,
        "started": record.started or None,
        "finished": record.finished or None,
        "duration_s": _finite(record.duration_s),
        "worker": record.worker,
        "attempt": record.attempt,
        "cached_from": record.cached_from or None,
        "measurements": [_measurement_fields(m) for m in record.measurements],
    }
    if record.seed is not None:
        fields["seed"] = record.seed
    if record.retries:
        fields["retries"] = [dict(options) for options in record.retries]
    if record.fast:
        fields["fast"] = True
    if record.verified:
        fields["verified"] = record.verified
    if record.warnings:
        fields["warnings"] = list(record.warnings)
    return _encode(fields) + "\n"


def record_from_json(text: bytes | str, case_id: int | None = None) -> CaseRecord:
    """The record of one case, by default of whichever it says.

    Raises
    ------
    ForeignRecordError: the text is not the record of that case
    """
    try:
        fields = json.loads(text)
        if fields["schema"] != SCHEMA or fields["case_id"] != (fields["case_id"] if case_id is None else case_id):
            raise ForeignRecordError(f"schema {fields['schema']!r}, case {fields['case_id']!r}")
        return _record(fields, int(fields["case_id"]))
    except ForeignRecordError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ForeignRecordError(f"{type(error).__name__}: {error}") from error


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _measurement_fields(m: Measurement) -> dict[str, Any]:
    value = _finite(m.value)
    fields: dict[str, Any] = {
        "name": m.name,
        "value": value,
        "unit": m.unit,
        "outcome": "failed" if value is None and m.outcome is Outcome.VALUE else m.outcome,
        "verdict": m.verdict,
        "min": _finite(m.min),
        "max": _finite(m.max),
        "margin": _finite(m.margin),
    }
    if m.message:
        fields["message"] = m.message
    if m.uncertainty is not None:
        fields["uncertainty"] = _finite(m.uncertainty)
    if m.is_marginal:
        fields["marginal"] = True
    return fields


def _record(fields: Mapping[str, Any], case_id: int) -> CaseRecord:
    texts = [fields[key] for key in ("error_message", "error_kind", "started", "finished", "worker", "cached_from")]
    _check_types(texts, _TEXT_TYPES)
    _check_types([fields["attempt"], fields["duration_s"], fields.get("seed")], _NUMBER_TYPES)
    message, kind, started, finished, worker, cached_from = [text or "" for text in texts]
    return CaseRecord(
        case_id,
        _STATUSES[fields["status"]],
        int(fields["attempt"]),
        _KINDS[kind] if kind else None,
        message,
        started,
        finished,
        fields["duration_s"],
        worker,
        fields.get("seed"),
        cached_from,
        tuple([_measurement(m) for m in fields["measurements"]]),
        tuple([dict(options) for options in fields.get("retries", ())]),
        tuple(fields.get("warnings", ())),
        fields.get("fast", False) is True,
        str(fields.get("verified", "")),
    )


def _measurement(m: Mapping[str, Any]) -> Measurement:
    value, low, high, margin = numbers = m["value"], m["min"], m["max"], m["margin"]
    _check_types(numbers, _NUMBER_TYPES)
    outcome = _OUTCOMES[m["outcome"]]
    if (value is not None and math.isfinite(value)) is not (outcome is Outcome.VALUE):
        raise ForeignRecordError(f"measurement {m['name']!r} has outcome {outcome} and value {value}")
    uncertainty = m.get("uncertainty")
    _check_types([uncertainty], _NUMBER_TYPES)
    verdict, message = _VERDICTS[m["verdict"]], m.get("message", "")
    return Measurement(m["name"], value, m["unit"], outcome, verdict, low, high, margin, message, uncertainty)


def _check_types(values: tuple[Any, ...] | list[Any], allowed: frozenset[type]) -> None:
    if not allowed.issuperset(map(type, values)):
        raise ForeignRecordError(f"found {[value for value in values if type(value) not in allowed]}")
