"""`Idempotency-Key`: a POST of the API that is sent again gets the first one's answer, and is not carried out again.

Owns the keys and the answers. Does not own the claim itself, which the request's transaction makes (`database`).
"""
