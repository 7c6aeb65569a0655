"""Runs the product on this machine; never deployed."""
