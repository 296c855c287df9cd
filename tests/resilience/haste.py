"""Short waits and limits, so that a test sees in seconds what takes minutes in earnest."""

HASTY = {
    "c4p-service": {
        "OUTBOX_FIRST_WAIT_SECONDS": "0.1",
        "OUTBOX_LONGEST_WAIT_SECONDS": "0.4",
        "OUTBOX_LEASE_SECONDS": "2",
        "CALL_TIMEOUT_SECONDS": "1",
        "DATABASE_TIMEOUT_SECONDS": "2",
    },
    "agenda-service": {"VALKEY_TIMEOUT_SECONDS": "1.5"},
    "email-service": {"SMTP_TIMEOUT_SECONDS": "1.5", "SENDING_LEASE_SECONDS": "3"},
    "frontend": {"AGENDA_FRESH_SECONDS": "0.2", "NEIGHBOUR_SECONDS": "2"},
}
