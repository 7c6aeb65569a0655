"""Requests and responses of the control plane in pydantic, one module a noun."""
