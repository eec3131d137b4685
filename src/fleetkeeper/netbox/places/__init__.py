"""Where devices are and whose they are: sites, locations and tenants."""
