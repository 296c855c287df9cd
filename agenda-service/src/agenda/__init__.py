"""The schedule of the conference: which session is in which slot."""
