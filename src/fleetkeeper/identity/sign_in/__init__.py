"""Proving who one is: passwords, second factors, passkeys, recovery codes, and what slows down guessing.

Owns the factors of an account and sign-ins that are half done. Does not own accounts and sessions (`identity`).
"""
