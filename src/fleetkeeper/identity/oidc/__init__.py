"""Sign-in through OpenID Connect providers.

Owns the providers, the flow, and which account belongs to which issuer and subject. Does not own sessions (`identity`).
"""
