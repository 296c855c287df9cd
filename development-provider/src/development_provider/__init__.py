"""A small real OpenID provider for development: who is asked says who they are."""
