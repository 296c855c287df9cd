"""A job that compares what the services say, reports differences, and repairs them if told to."""
