"""When to reorder what: demand and forecasts of parts by location, reorder points, and order proposals.

Owns order proposals. Does not own stock (`stock`) and orders (`orders`): what it proposes becomes an order only when
a person says so. Uses `orders`, `stock`, `config` and `notifications`.
"""
