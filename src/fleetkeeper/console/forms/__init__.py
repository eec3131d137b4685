"""The one way to enter things: forms are made from the schemas of the API, and read by them."""
