"""Pure: the words of simorc and the arithmetic on them. numpy is the only third-party import allowed here."""
