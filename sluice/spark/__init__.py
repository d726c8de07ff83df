"""The parts of a Spark job that are no Spark: what it is told, what a task makes of one object, what it reports."""
