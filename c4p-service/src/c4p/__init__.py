"""The call for proposals: what is submitted, what is decided, and who is still to be told."""
