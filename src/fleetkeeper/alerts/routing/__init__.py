"""Who is told of which alert: the tree of routes, receivers, groups, and what is told of them when."""
