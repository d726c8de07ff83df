"""One script per question; each compares with a named reference in the same run and prints ratios of medians."""
