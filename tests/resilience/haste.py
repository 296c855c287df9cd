"""Short waits and limits, so that a test sees in seconds what takes minutes in earnest.

None is so short that a busy machine meets it without a fault: a mail whose relay is given up too
soon comes twice.
"""

HASTY = {
    "c4p-service": {
        "OUTBOX_FIRST_WAIT_SECONDS": "0.1",
        "OUTBOX_LONGEST_WAIT_SECONDS": "0.4",
        "OUTBOX_LEASE_SECONDS": "4",
        "CALL_TIMEOUT_SECONDS": "2",
        "DATABASE_TIMEOUT_SECONDS": "3",
    },
    "agenda-service": {"VALKEY_TIMEOUT_SECONDS": "3"},
    "email-service": {
        "SMTP_TIMEOUT_SECONDS": "4",
        "SENDING_LEASE_SECONDS": "8",
        "VALKEY_TIMEOUT_SECONDS": "3",
    },
    "frontend": {
        "AGENDA_FRESH_SECONDS": "0.2",
        "NEIGHBOUR_SECONDS": "4",
    },
}
