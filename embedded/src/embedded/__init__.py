"""The whole platform on one machine, without containers, on real backing services."""
