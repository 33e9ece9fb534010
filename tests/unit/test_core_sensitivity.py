"""Sensitivity against the analysis of variance of statsmodels, and numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from simorc.core.sensitivity import Sensitivity, factors, sensitivity
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis

DEFAULTS = {"corner": "tt", "temp": 27, "vin": 5, "iload": 1}
CORNER = Axis(("corner",), (("tt",), ("ff",), ("ss",)))
TEMP = Axis(("temp",), ((-40,), (27,), (85,), (125,)))
VIN = Axis(("vin", "iload"), ((4.5, 1), (5.5, 2)))


def of(sweep: Sweep, values: list[float | None]) -> Sensitivity | None:
    return sensitivity("vout", "V", factors(sweep, list(sweep.cases())), values)


def test_an_axis_without_effect_has_no_lowest_and_highest() -> None:
    found = of(Sweep("s", (CORNER, TEMP), DEFAULTS), [1.0, 1.1, 1.2, 1.3] * 3)
    assert found is not None
    temp, corner = found.effects
    assert (temp.share, temp.lowest, temp.highest) == (1.0, (-40,), (125,))
    assert (corner.span, corner.lowest, corner.highest) == (0.0, (), ())


@pytest.mark.req("SIM-16")
def test_shares_are_those_of_the_analysis_of_variance_of_statsmodels() -> None:
    sweep = Sweep("s", (CORNER, TEMP, VIN), DEFAULTS)
    random = np.random.default_rng(3)
    y = random.normal(3.3, 0.01, 24) + np.repeat([0.0, 0.1, -0.05], 8)
    frame = pd.DataFrame([case.conditions for case in sweep.cases()])[["corner", "temp", "vin"]].astype(str)
    table = anova_lm(ols("y ~ (C(corner) + C(temp) + C(vin))**2", frame.assign(y=y)).fit(), typ=2)
    share = table["sum_sq"] / table["sum_sq"].sum()
    found = of(sweep, list(y))
    assert found is not None
    assert found.is_complete
    mains = {effect.axes[0][0]: effect.share for effect in found.effects}
    assert [mains[name] for name in ("corner", "temp", "vin")] == pytest.approx(
        [share[f"C({name})"] for name in ("corner", "temp", "vin")]
    )
    pairs = {(a[0], b[0]): effect.share for effect in found.interactions for a, b in [effect.axes]}
    assert {key: pytest.approx(share[f"C({key[0]}):C({key[1]})"]) for key in pairs} == pairs
    assert found.rest == pytest.approx(share["Residual"])
    assert found.effects[0].axes == (("corner",),)  # the largest first


@pytest.mark.req("SIM-16")
def test_effects_by_hand() -> None:
    # vout = 3.3 + 0.1 (ff) - 0.2 (ss) - 1e-3 (temp - 27): means over corners 3.3, 3.4, 3.1 and what temp adds to all.
    sweep = Sweep("s", (CORNER, TEMP), DEFAULTS)
    shift = {"tt": 0.0, "ff": 0.1, "ss": -0.2}
    values = [
        3.3 + shift[str(c.parameters["corner"])] - 1e-3 * (float(c.parameters["temp"]) - 27) for c in sweep.cases()
    ]
    found = of(sweep, values)  # type: ignore[arg-type]
    assert found is not None
    corner, temp = sorted(found.effects, key=lambda effect: effect.axes)
    assert (corner.span, corner.lowest, corner.highest) == (pytest.approx(0.3), ("ss",), ("ff",))
    assert (temp.span, temp.lowest, temp.highest) == (pytest.approx(0.165), (125,), (-40,))
    # Variances 0.14/9 and of -40, 27, 85, 125 mV; nothing acts together.
    variances = 0.14 / 9, float(np.var([-0.04, 0.027, 0.085, 0.125]))
    assert corner.share == pytest.approx(variances[0] / sum(variances))
    assert found.interactions[0].share == pytest.approx(0.0, abs=1e-12)
    assert found.rest == pytest.approx(0.0, abs=1e-12)


def test_values_whose_squares_vanish_have_shares_too() -> None:
    found = of(Sweep("s", (Axis(("temp",), ((1,), (2,))),), DEFAULTS), [0.0, 1e-200])
    assert found is not None
    assert [(effect.share, effect.span) for effect in found.effects] == [(pytest.approx(1.0), 1e-200)]


def test_a_pure_interaction_has_no_main_effect() -> None:
    sweep = Sweep("s", (Axis(("corner",), (("a",), ("b",))), Axis(("temp",), ((1,), (2,)))), DEFAULTS)
    found = of(sweep, [1.0, -1.0, -1.0, 1.0])
    assert found is not None
    assert [effect.share for effect in found.effects] == [0.0, 0.0]
    assert found.interactions[0].share == pytest.approx(1.0)


def test_axes_that_vary_together_are_one_and_samples_are_named_by_their_number() -> None:
    sweep = Sweep("s", (VIN, monte_carlo_axis(3, 1)), DEFAULTS)
    found = of(sweep, [1.0, 2.0, 3.0, 1.5, 2.5, 3.5])
    assert found is not None
    assert {effect.axes[0] for effect in found.effects} == {("vin", "iload"), ("mc_sample",)}


def test_what_is_missing_is_left_out_and_told() -> None:
    sweep = Sweep("s", (CORNER, TEMP), DEFAULTS)
    found = of(sweep, [None, math.nan, *map(float, range(10))])
    assert found is not None
    assert (found.n, found.is_complete) == (10, False)
    assert all(0.0 <= effect.share <= 1.0 for effect in (*found.effects, *found.interactions))
    only_one_corner = of(sweep, [1.0, 2.0, 3.0, 4.0, *[None] * 8])
    assert only_one_corner is not None
    assert only_one_corner.is_complete
    assert [(e.axes[0][0], round(e.share, 9)) for e in only_one_corner.effects] == [("temp", 1.0), ("corner", 0.0)]


@pytest.mark.parametrize("values", [[1.0] * 12, [None] * 12, [1.0, *[None] * 11]])
def test_nothing_that_varies_has_no_sensitivity(values: list[float | None]) -> None:
    assert of(Sweep("s", (CORNER, TEMP), DEFAULTS), values) is None
    assert of(Sweep("s", (Axis(("temp",), ((1,),)),), DEFAULTS), [1.0]) is None
