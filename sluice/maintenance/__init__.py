"""Keeping tables small and whole: what to merge, what to forget, what to remove. Decided here, done elsewhere."""
