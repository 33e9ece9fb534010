"""Run simorc as `python -m simorc`."""

from simorc.cli import main

main()
