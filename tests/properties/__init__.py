"""Guarantees over whole families of inputs."""
