"""The repository that the package stands in: it is installed in place, and not from an index."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
