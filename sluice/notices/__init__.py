"""Who is told of what: news about incidents and publications, folded into few notices."""
