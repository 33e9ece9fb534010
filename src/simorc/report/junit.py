"""A run as JUnit XML, which CI servers show: a test a case, a test an aggregate of a group."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.measurement import Outcome
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.report.aggregate_table import group_text
from simorc.report.data import ReportData, rerun_command
from simorc.report.display import conditions, limits_text, quantity

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(data: ReportData) -> dict[str, bytes]:
    """One file, junit.xml, in the form that the Ant task `junitreport` made common.

    Out of spec is a failure, a case that broke an error, one that has not run is skipped.
    """
    suite = Element("testsuite", {"name": xml_text(data.run_id)})
    for case in data.cases:
        _case(suite, data, case)
    for result in data.aggregates:
        _aggregate(suite, data, result)
    kinds = [[child.tag for child in test] for test in suite]
    counts = {"tests": len(kinds)} | {
        f"{word}s" if word != "skipped" else word: sum(word in kind for kind in kinds)
        for word in ("failure", "error", "skipped")
    }
    suite.attrib.update({name: str(number) for name, number in counts.items()})
    suite.set("time", f"{sum(r.duration_s or 0.0 for r in data.records.values()):.3f}")
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return {"junit.xml": tostring(root, encoding="utf-8", xml_declaration=True)}


def xml_text(text: str) -> str:
    r"""A text with `?` for what XML 1.0 (section 2.2) cannot hold.

    >>> xml_text("a\x00b")
    'a?b'
    """
    return _UNFIT.sub("?", text)


def _case(suite: Element, data: ReportData, case: Case) -> None:
    record = data.records.get(case.case_id)
    test = _test(suite, data.plan.sweep.name, f"case {case.case_id}: {conditions(case)}")
    if record is not None and record.duration_s is not None:
        test.set("time", f"{record.duration_s:.3f}")
    if record is None or record.status in (Status.PENDING, Status.IN_PROGRESS):
        SubElement(test, "skipped", {"message": data.status(case.case_id).replace("_", " ")})
        return
    if record.status is Status.FAILED:
        _say(test, "error", str(record.error_kind or "failed"), record.error_message, rerun_command(data, case))
        return
    lines = []
    for m in record.measurements:
        if m.outcome is Outcome.FAILED:
            lines.append(f"{m.name} could not be evaluated: {m.message}")
        elif m.verdict is Verdict.FAIL:
            lines.append(f"{m.name} = {quantity(m.value, m.unit, 6)}, {limits_text(m.min, m.max, m.unit)}")
    if record.verdict is Verdict.FAIL:
        _say(test, "failure", "out of spec", "\n".join(lines), rerun_command(data, case))


def _aggregate(suite: Element, data: ReportData, result: AggregateResult) -> None:
    test = _test(suite, f"{data.plan.sweep.name}.aggregates", f"{result.name}: {group_text(result)}")
    if result.verdict is Verdict.FAIL and result.value is None:
        _say(test, "failure", "missing", f"{result.name}: {result.message}")
    elif result.verdict is Verdict.FAIL:
        found = f"{quantity(result.value, result.unit, 6)}, {limits_text(result.min, result.max, result.unit)}"
        _say(test, "failure", "out of spec", f"{result.name} = {found}")
    elif result.value is None:
        SubElement(test, "skipped", {"message": xml_text(result.message or f"{result.n_missing} values are missing")})


def _test(suite: Element, place: str, name: str) -> Element:
    return SubElement(suite, "testcase", {"classname": xml_text(place), "name": xml_text(name)})


def _say(test: Element, tag: str, kind: str, text: str, command: str = "") -> None:
    first = text.partition("\n")[0]
    child = SubElement(test, tag, {"type": kind, "message": xml_text(first or kind)})
    child.text = xml_text("\n".join(part for part in (text, command) if part))
