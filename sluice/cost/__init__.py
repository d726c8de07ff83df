"""What a partition costs, before and after: prices, estimates, budgets."""
