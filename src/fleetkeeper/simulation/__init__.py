"""A believable fleet, made from a seed: devices, what they are made of and what they measure.

Owns the model of a fleet (kinds, devices, values as pure functions of seed, device and time) and the player
that sends it through the same HTTP door as real agents. Owns no table and no route, and uses no other room: a
simulated fleet must not know anything that a real one could not know.
"""
