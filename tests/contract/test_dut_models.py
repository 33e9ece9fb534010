"""The DUT models of this package keep the contract of DUT models."""

from __future__ import annotations

import pytest

from simorc.registry import load
from simorc.testing import DutModelContract
from simorc.virtual_lab.parameter_sets import parameter_set

pytestmark = pytest.mark.req("DVT-02")


class TestLdo(DutModelContract):
    model_class = load("dut_models", "ldo")
    parameters = parameter_set("lp2985_33").values
    vin, iload = 5.0, 0.15


class TestFittedLdo(DutModelContract):
    model_class = load("dut_models", "ldo")
    parameters = parameter_set("simorc180_tt").values
    vin, iload = 5.0, 0.05


class TestReference(DutModelContract):
    model_class = load("dut_models", "reference")
    parameters = parameter_set("adr444").values
    vin, iload = 6.0, 0.01
