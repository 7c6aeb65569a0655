"""Handlers that die at any call, and the platform that comes again."""
