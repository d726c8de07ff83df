"""What looks by the clock: arrivals, blocked partitions, deadlines. Sensors read ports, request runs, report checks."""
