"""The tree of departments and their managers.

Owns how departments are made, moved and deleted. Does not own what belongs to them: devices, people and their roles.
"""
