"""How a change travels from a commit to the people who use the platform."""
