"""The pytest edge: fixtures, hooks, and one recorded status per case."""
