"""Foreign files in our words: tables of measured data, and projects of other tools."""
