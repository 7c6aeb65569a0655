"""Nightjar on the internet: what anybody can send, and what must never leave."""
