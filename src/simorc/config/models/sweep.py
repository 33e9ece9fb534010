"""The keys of a sweep's file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from simorc.config.models.fields import Count, Fraction, Line, Named, Scalar, Section, Texts, Whole, Written, key
from simorc.config.models.testbench import Judged, Target


class AxisKeys(Section):
    """The values of one parameter: a list, a single value, or a range of numbers."""

    values: tuple[Scalar, ...] | None = key(
        None, "The values; a list or a single value may also stand alone.", example="[-40, 27, 125]", shown="none"
    )
    start: Written | None = key(None, "First value of a range.", example="4.0", shown="none")
    stop: Written | None = key(None, "Last value of a range.", example="6.0", shown="none")
    num: Count | None = key(None, "Number of values, `start` and `stop` included.", example="5", shown="none")
    step: Written | None = key(
        None, "Distance of two values; instead of `num`. Ends at or before `stop`.", example="0.5", shown="none"
    )
    scale: Literal["linear", "log"] = key(
        "linear", "Even distances, or even ratios (`start` and `stop` above 0, with `num`).", example="log"
    )


class MonteCarlo(Section):
    """Random samples: the last, fastest axis, with the columns `mc_sample` and `seed`."""

    samples: Count = key(1, "Number of samples of every point of the other axes.", example="200", shown="required")
    seed: Whole = key(1, "The seed that all samples' seeds are made from.", example="1")


class StopWhen(Section):
    """When Monte Carlo samples are enough; every key that is given has to be met at every point of the other axes."""

    yield_ci: Fraction | None = key(
        None, "Half the width of the yield's 95 % interval, over all limits.", example="0.02", shown="none"
    )
    mean: Fraction | None = key(
        None, "Half the width of the 95 % interval of each mean, in parts of the mean.", example="1%", shown="none"
    )
    sigma: Fraction | None = key(
        None,
        "The longer side of the 95 % interval of each sigma, in parts of it; never met by values that are not normal.",
        example="10%",
        shown="none",
    )
    of: Texts = key((), "The measures whose `mean` and `sigma` count, one or a list.", example="vout", shown="all")


def _axis(raw: Any) -> Any:
    if isinstance(raw, list):
        return {"values": raw}
    if isinstance(raw, (str, int, float)):
        return {"values": [raw]}
    if not isinstance(raw, dict):
        raise PydanticCustomError("kind", "{expected}", {"expected": "a list, a range or a value"})
    return raw


class SweepKeys(Judged):
    """What is varied over one testbench."""

    testbench: Line = key("", "The testbench.", example="tempco", shown="required")
    bench: Line | None = key(
        None, "The bench of the target `bench`, unless `--bench` says otherwise.", example="lab", shown="the only one"
    )
    target: Target = key("spice", "What measures it, unless `--target` says otherwise.", example="bench")
    parameters: Named[Annotated[AxisKeys, BeforeValidator(_axis)]] = key(
        {},
        "The varied parameters; the cases are the Cartesian product, the first slowest.",
        example="{corner: [tt, ff, ss], vin: {start: 4.0, stop: 6.0, num: 5}, temp: [-40, 27, 125]}",
    )
    zip: tuple[tuple[Line, ...], ...] = key(
        (), "Groups of parameters that vary in step, as one axis.", example="[[vin, iload]]"
    )
    corners: dict[str, Named[Scalar]] | None = key(
        None,
        "Named sets of values: one axis, the slowest, with the column `corner_name` and one a parameter it sets; "
        "also the path of a YAML file that holds them. A corner may set the `seed`.",
        example="{hot: {corner: ff, temp: 125}, cold: {corner: ss, temp: -40}}",
        shown="none",
    )
    where: Texts = key((), "Conditions that every case meets, one or a list.", example="temp > 0 or vin > 4.5")
    exclude: Texts = key((), "Conditions that no case meets, one or a list.", example="temp > 85 and vin < 4.5")
    monte_carlo: MonteCarlo | None = key(None, "Random samples.", example="{samples: 200, seed: 1}", shown="none")
    stop_when: StopWhen | None = key(
        None,
        "When random samples are enough: a simulated run goes in rounds, and the other samples stay `pending`.",
        example="{yield_ci: 0.02}",
        shown="none",
    )
    statistics_by: Texts | None = key(
        None,
        "The swept parameters whose values make the groups of the statistics, one or a list; `[]` for no groups. Not "
        "with `monte_carlo`, where the samples of each point are a group.",
        example="[corner, vin]",
        shown="those with texts, such as the corner",
    )
