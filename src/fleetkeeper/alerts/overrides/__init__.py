"""What is different from a rule for one device, or for those with a tag."""
