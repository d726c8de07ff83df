"""Planned backfills: chosen, explained and frozen before anything runs, then carried out step by step."""
