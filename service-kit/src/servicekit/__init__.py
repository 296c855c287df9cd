"""The library that all services share; no word of the domain in it."""
