"""Contracts as Dagster assets and checks. `definitions` and `cli` are the two doors through which all rooms meet."""
