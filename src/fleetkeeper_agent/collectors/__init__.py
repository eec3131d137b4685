"""What is measured: one collector per subject, each with its declared fields and its own failures."""
