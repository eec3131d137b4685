"""How devices are connected: who hosts, powers, manages, backs up whom, and since when."""
