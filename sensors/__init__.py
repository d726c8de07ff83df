"""What looks by the clock: arrivals, blocked and failed partitions, deadlines. Sensors request runs and tell people."""
