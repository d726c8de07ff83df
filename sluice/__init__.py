"""The core of Sluice: plain Python that turns raw objects into tables one can trust. No Dagster, no cloud, no clock."""
