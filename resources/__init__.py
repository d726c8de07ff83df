"""The outside world: one module per port, with the real and the local implementation side by side."""
