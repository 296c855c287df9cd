"""What the tests of one service need, and no service of its own."""
