"""All that was measured, as files for other tools: whatever tier it lies in.

Owns the shape of the files. Reads samples by `selection`, like every other reader.
"""
