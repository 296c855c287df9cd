"""Hands in a proposal at the frontend's address, as `helm test` does; ends with 1 if that fails."""

import json
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PROPOSAL = {
    "title": "A proposal of helm test",
    "abstract": "It shows that the whole way to the database works; reject it.",
    "speaker_name": "Helm Test",
    "speaker_email": "helm-test@example.org",
}


def main() -> None:
    """Print where the proposal is, or end with the problem that was answered."""
    request = Request(
        f"{sys.argv[1]}/api/proposals",
        json.dumps(PROPOSAL).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=10) as answer:
            print(f"Handed in: {answer.status} {answer.headers['Location']}")
    except HTTPError as error:
        sys.exit(f"Not taken: {error.code} {error.read().decode()}")


if __name__ == "__main__":
    main()
