"""Sealed telemetry: closed ranges of frames, transposed to one compressed series per channel.

Owns the table `chunks`, how series are encoded, how frames become chunks and small chunks larger ones. It does not
decide how long anything is kept, and does not aggregate.
"""
