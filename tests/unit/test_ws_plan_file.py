"""plan.json: an equal plan comes back, or a clear error."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorc.core.errors import RunDirectoryError
from simorc.core.measurement import Measure
from simorc.core.plan import Plan
from simorc.core.spec import Spec, Verdict
from simorc.core.sweep import Axis, Sweep
from simorc.core.units import Quantity, Value
from simorc.workspace.layout import RunDirectory
from simorc.workspace.plan_file import decode, encode, read_plan, write_plan

values: st.SearchStrategy[Value] = st.one_of(
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.booleans(),
    st.sampled_from(["10u", "2.5meg", "1e-3k", "5.50", "-0"]).map(Quantity),
)
limits = st.none() | st.floats(allow_nan=False) | st.just(Quantity("120u")) | st.integers(-5, 5)
specs = st.builds(Spec, limits, limits, limits)
plans = st.builds(
    lambda rows, defaults, spec, corners, retries: Plan(
        Sweep("s", (Axis(("a", "b"), tuple(rows)),), defaults, ("a > 1",)),
        "tb",
        "spice",
        "/tb",
        "/s.yaml",
        "/setup.yaml",
        measures=(Measure("m", spec=spec, corner_specs=corners),),
        environment=retries,
    ),
    st.lists(st.tuples(values, values), min_size=1, max_size=4),
    st.dictionaries(st.text(), values),
    specs,
    st.dictionaries(st.text(), specs, max_size=2),
    st.dictionaries(st.text(), st.text(), max_size=2),
)


def test_the_plan_of_a_run_is_the_plan_it_was_built_from(ws_run: RunDirectory, ws_plan: Plan) -> None:
    assert repr(read_plan(ws_run)) == repr(ws_plan)
    assert read_plan(ws_run) == ws_plan
    assert str(read_plan(ws_run).sweep.axes[1].rows[0][1]) == "10u"


@given(plans)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_plan_survives_its_json(plan: Plan) -> None:
    # repr tells 5 from 5.0, True from 1 and Quantity('10u') from 1e-05, which == does not.
    text = json.dumps(encode(plan), allow_nan=False)
    assert repr(decode(Plan, json.loads(text), "plan")) == repr(plan)


def test_infinite_limits_survive(ws_run: RunDirectory, ws_plan: Plan) -> None:
    assert decode(Spec, json.loads(json.dumps(encode(Spec(max=math.inf)), allow_nan=False)), "") == Spec(max=math.inf)


def test_choices_survive() -> None:
    assert decode(Verdict, json.loads(json.dumps(encode(Verdict.FAIL))), "") is Verdict.FAIL


def test_a_truncated_plan_is_a_clear_error(ws_run: RunDirectory) -> None:
    whole = ws_run.plan.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        ws_run.plan.write_bytes(whole[:length])
        with pytest.raises(RunDirectoryError, match=r"not the plan of a run") as caught:
            read_plan(ws_run)
        assert caught.value.where.endswith("inputs/plan.json")


def test_a_missing_plan_is_a_clear_error(ws_run: RunDirectory) -> None:
    ws_run.plan.unlink()
    with pytest.raises(RunDirectoryError, match="cannot read the plan of a run"):
        read_plan(ws_run)


def test_a_plan_of_another_version_says_so(ws_run: RunDirectory) -> None:
    ws_run.plan.write_text(json.dumps({"schema": 99, "plan": {}}))
    with pytest.raises(RunDirectoryError, match="schema 99, expected 1") as caught:
        read_plan(ws_run)
    assert "another version" in caught.value.hint


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sweep", None),
        ("sweep", 5),
        ("sweep.axes", {}),
        ("sweep.axes", [5]),
        ("sweep.name", 5),
        ("sweep.base_seed", "one"),
        ("sweep.base_seed", True),
        ("measures", [{"unit": "V"}]),
        ("dut", []),
        ("dut", {"netlist": 5}),
        ("simulator.timeout_s", "long"),
        ("simulator.timeout_s", {"quantity": "long"}),
        ("simulator.timeout_s", {"float": "long"}),
        ("unheard_of", 1),
    ],
)
def test_foreign_content_is_a_clear_error(ws_run: RunDirectory, path: str, value: object) -> None:
    data = json.loads(ws_run.plan.read_text())
    place = data["plan"]
    *parents, last = path.split(".")
    for key in parents:
        place = place[key]
    place[last] = value
    ws_run.plan.write_text(json.dumps(data))
    with pytest.raises(RunDirectoryError, match="not the plan of a run"):
        read_plan(ws_run)


def test_a_plan_that_a_former_simorc_wrote_can_be_read(ws_run: RunDirectory, ws_plan: Plan) -> None:
    data = json.loads(ws_run.plan.read_text())
    for key in ("bench", "procedure"):
        del data["plan"][key]
    for measure in data["plan"]["measures"]:
        del measure["spec"]["guard_band"]
    ws_run.plan.write_text(json.dumps(data))
    assert read_plan(ws_run) == ws_plan


@pytest.mark.parametrize("text", ["[]", "null", '{"schema": 1}', '{"schema": 1, "plan": []}', "\xff"])
def test_other_files_are_a_clear_error(ws_run: RunDirectory, text: str) -> None:
    ws_run.plan.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunDirectoryError):
        read_plan(ws_run)


def test_a_plan_can_be_written_again(ws_run: RunDirectory, ws_plan: Plan) -> None:
    write_plan(ws_run, ws_plan)
    assert read_plan(ws_run) == ws_plan
