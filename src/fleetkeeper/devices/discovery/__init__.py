"""The fleet as other programs read it: Prometheus as targets to scrape, Ansible as hosts in groups."""
