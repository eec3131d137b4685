"""Which records of sources are one machine: evidence, its strength, and an explained decision.

Pure so far: it takes plain values and touches no table. Owns what evidence is worth and when it suffices.
"""
