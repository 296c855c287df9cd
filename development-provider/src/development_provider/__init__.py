"""A small real OpenID provider for development, where people choose who they are."""
