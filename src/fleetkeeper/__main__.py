"""`python -m fleetkeeper`."""

from fleetkeeper.cli.main import main

main()
