"""Where the cases of a run execute."""
