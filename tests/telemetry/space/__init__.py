"""Tests of the measurement of space, and of health."""
