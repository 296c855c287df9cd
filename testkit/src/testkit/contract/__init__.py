"""Consumer-driven contracts: record them, verify them, keep them in git."""
