"""Tools for the tests of one service; it knows no service."""
