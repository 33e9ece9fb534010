"""Name -> class; the one place where a simulator or a driver is chosen by name.

simorc's own names stand in a table here, those of other packages in their entry points, `simorc.<family>` (ADR 18).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from simorc.core.errors import UsageError
from simorc.core.wording import suggestion

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

    from simorc.core.netlister import Netlister
    from simorc.core.protocols import Simulator

_OWN: Mapping[str, Mapping[str, str]] = {
    "simulators": {
        "ngspice": "simulators.fast_ngspice:FastNgspice",
        "ngspice_plain": "simulators.ngspice:Ngspice",
        "stub": "testing:StubSimulator",
    },
    "netlisters": {
        "xschem": "netlisters.xschem:Xschem",
    },
    "transports": {
        "memory": "virtual_lab.memory_transport:MemoryLink",
        "visa": "instruments.transport:VisaLink",
    },
    "instruments": {
        "aimtti_ld400p": "instruments.drivers.aimtti_ld400p:AimTtiLd400p",
        "hp_34401a": "instruments.drivers.keysight_34461a:Hp34401a",
        "keysight_34461a": "instruments.drivers.keysight_34461a:Keysight34461a",
        "keysight_e3631a": "instruments.drivers.keysight_e36312a:KeysightE3631a",
        "keysight_e36312a": "instruments.drivers.keysight_e36312a:KeysightE36312a",
        "scpi_dmm": "instruments.drivers.scpi_dmm:ScpiDmm",
        "scpi_psu": "instruments.drivers.scpi_psu:ScpiPsu",
        "scpi_switch": "instruments.drivers.scpi_switch:ScpiSwitch",
        "temptronic_ats545": "instruments.drivers.temptronic_ats545:TemptronicAts545",
    },
    "equipment": {
        "aimtti_ld400p": "virtual_lab.equipment.aimtti_ld400p:AimTtiLd400p",
        "hp_34401a": "virtual_lab.equipment.keysight_34461a:Hp34401a",
        "keysight_34461a": "virtual_lab.equipment.keysight_34461a:Keysight34461a",
        "keysight_e3631a": "virtual_lab.equipment.keysight_e36312a:KeysightE3631a",
        "keysight_e36312a": "virtual_lab.equipment.keysight_e36312a:KeysightE36312a",
        "scpi_switch": "virtual_lab.equipment.scpi_switch:ScpiSwitch",
        "temptronic_ats545": "virtual_lab.equipment.temptronic_ats545:TemptronicAts545",
    },
    "tables": {
        "csv": "importers.arrow_table:read_csv",
        "mdm": "importers.mdm:read_mdm",
        "parquet": "importers.arrow_table:read_parquet",
    },
    "dut_models": {
        "ldo": "virtual_lab.dut_models.ldo:Ldo",
        "reference": "virtual_lab.dut_models.reference:Reference",
    },
}
"""family -> name -> where in simorc."""


def names(family: str) -> list[str]:
    """The names registered in a family such as `simulators`, sorted."""
    return sorted({*_OWN.get(family, ()), *(point.name for point in _points(family))})


def load(family: str, name: str) -> Any:
    """The object registered under a name; of simorc's own names no other package can have one.

    Raises
    ------
    UsageError: no such name in the family; lists what there is
    """
    if own := _OWN.get(family, {}).get(name):
        module, _, attribute = own.partition(":")
        return getattr(import_module(f"simorc.{module}"), attribute)
    for point in _points(family):
        if point.name == name:
            return point.load()
    what = family.rstrip("s").replace("_", " ")
    raise UsageError(f"no {what} named {name!r}", hint=suggestion(name, names(family)))


def _points(family: str) -> EntryPoints:
    """What other packages register."""
    from importlib import metadata  # brings the e-mail package along, and is seldom asked

    return metadata.entry_points(group=f"simorc.{family}")


def simulator_class(name: str) -> type[Simulator]:
    """The simulator registered under a name."""
    return cast("type[Simulator]", load("simulators", name))


def netlister_class(name: str) -> type[Netlister]:
    """The netlister registered under a name."""
    return cast("type[Netlister]", load("netlisters", name))
