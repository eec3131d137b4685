"""What each person has to read in the console. Owns their list, and what of it they have read."""
