"""Errors that are told to whoever gave the command."""


class DeliveryError(Exception):
    """Raised when a command can't be done, for a reason that one sentence tells."""
