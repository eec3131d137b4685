"""The agent: measures the machine it runs on and reports to a Fleetkeeper server.

It owns what happens on the machine: collecting, spooling while the server is away, delivering. It shares only
`fleetkeeper_protocol` with the server and imports nothing else of the product.

- `collectors/` one file per subject: what is measured, and the arithmetic between two samples.
- `platforms/` where the numbers come from: `/proc` and `/sys` on Linux, psutil and a few commands elsewhere.
- `commands/` remote commands; nothing runs there until an administrator switches them on.
- `loop.py` ties the parts together: one thread samples, one delivers, one makes the slow reports.
"""
