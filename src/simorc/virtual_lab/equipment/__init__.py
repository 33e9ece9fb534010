"""Instruments that speak the command sets of real models, on one physics."""
