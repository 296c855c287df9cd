"""Hands in a proposal at the frontend's address, as `helm test` does; ends with 1 if that fails."""

import json
import sys
from urllib.request import Request, urlopen

PROPOSAL = {
    "title": "A proposal of helm test",
    "abstract": "It shows that the whole way to the database works; reject it.",
    "author": "Helm Test",
    "email": "helm-test@example.org",
}


def main() -> None:
    """HTTPError, whose message has the status, for any answer that is not a success."""
    site = sys.argv[1]
    request = Request(
        f"{site}/api/proposals",
        json.dumps(PROPOSAL).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=10) as answer:
        print(f"Handed in: {answer.status} {answer.headers['Location']}")


if __name__ == "__main__":
    main()
