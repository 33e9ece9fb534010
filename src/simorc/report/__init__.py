"""After the run: tables, plots, the page. The only room with pandas and matplotlib."""
