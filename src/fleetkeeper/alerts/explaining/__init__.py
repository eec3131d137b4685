"""Why somebody was told of an alert, or was not: each step from the rule to the delivery. Reads what others wrote."""
