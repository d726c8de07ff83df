"""What broke, what is done about it, and what is kept of it."""
