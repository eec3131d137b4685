"""Side-by-side benchmarks: Fleetkeeper and its peers on this machine, in one run, with the same data.

`python -m bench [section ...]`; see `--help`. Nothing here is part of the product.
"""
