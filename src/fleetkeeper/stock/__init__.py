"""Parts, who sells them at which price, and how many lie where.

Owns parts with variants, suppliers with their prices, stock by location with its movements and reservations, serial
numbers and stock counts. Does not own locations (`devices`) and orders (`orders`). What is on hand is the sum of the
movements, kept by the database. Uses `records`, `devices` and `notifications`.
"""
