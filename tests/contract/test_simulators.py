"""Every simulator keeps to the contract."""

from __future__ import annotations

import pytest

from simorc.registry import names, simulator_class
from simorc.testing import SimulatorContract

DIVIDER = "* divider\nv1 in 0 5\nr1 in out 1k\nr2 out 0 1k\n"


@pytest.mark.req("SIM-12")
@pytest.mark.ngspice
class TestNgspice(SimulatorContract):
    simulator_class = simulator_class("ngspice")
    good = DIVIDER + ".dc v1 0 5 5\n.meas dc y find v(out) at=5\n.end\n"
    unmeasured = DIVIDER + ".dc v1 0 5 5\n.meas dc y when v(out)=7\n.end\n"
    broken = DIVIDER + "x1 out 0 nothing\n.dc v1 0 5 5\n.meas dc y find v(out) at=5\n.end\n"
    endless = "* long\nv1 in 0 pulse(0 1 0 1n 1n 1u 2u)\nr1 in out 1k\nc1 out 0 1n\n.tran 1n 10\n.end\n"


class TestPlainNgspice(TestNgspice):
    simulator_class = simulator_class("ngspice_plain")


class TestStub(SimulatorContract):
    simulator_class = simulator_class("stub")
    good = "* stub\n* meas y = 2.5\n* wave out = 0 1 2\n.end\n"
    unmeasured = "* stub\n* meas y = failed\n.end\n"
    broken = "* stub\n* fail missing_model: nothing\n.end\n"
    endless = "* stub\n* hang\n.end\n"


def test_no_simulator_is_left_out():
    assert names("simulators") == ["ngspice", "ngspice_plain", "stub"]
