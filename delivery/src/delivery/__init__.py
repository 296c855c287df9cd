"""The way of a change from a commit to the people who use the platform."""
