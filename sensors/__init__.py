"""What asks for runs: arrivals today, failures and lateness next. Sensors read ports and request runs, nothing else."""
