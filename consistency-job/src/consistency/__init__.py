"""Compares what the services say, reports what does not fit, and repairs it when told to."""
