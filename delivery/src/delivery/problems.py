"""What is told to whoever gave the command."""


class DeliveryError(Exception):
    """What was asked for can't be done, for a reason that one sentence tells."""
