"""How NetBox speaks: addresses of lists, filters, bodies, answers, and what every kind can do."""
