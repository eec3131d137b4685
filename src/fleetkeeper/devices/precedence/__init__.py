"""Which source's value of an attribute counts. Pure so far: it takes plain values and the time."""
