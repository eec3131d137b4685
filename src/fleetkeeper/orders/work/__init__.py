"""Work orders: who fits which part to which device and when; done by scanning the part at the machine."""
