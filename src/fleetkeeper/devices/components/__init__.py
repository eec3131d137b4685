"""What a device consists of: interfaces with addresses, volumes, hardware, the virtual machine's side, facts."""
