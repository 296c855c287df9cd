"""`make reset`: forgets the data of the embedded platform, its secrets and its logs."""

import sys

from embedded.home import HomeError, default_home


def main() -> None:
    """Remove what the platform has written; refused while it runs."""
    home = default_home()
    if not home.folder.exists():
        print(f"There is nothing to forget in {home.folder}.")  # noqa: T201 - as below
        return
    try:
        with home.locked():
            home.forget()
    except HomeError as error:
        sys.exit(str(error))
    print(f"Forgotten: everything in {home.folder}.")  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    main()
