"""What devices are called by: manufacturers, device types, platforms and roles."""
