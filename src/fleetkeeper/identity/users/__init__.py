"""Accounts of people.

Owns how accounts are made, changed and disabled. Does not own how people prove who they are (`identity.sign_in`).
"""
