"""API tokens.

Owns how tokens are made, limited, rotated and revoked. Who a token belongs to is found out in `identity`.
"""
