"""The control plane: one module a noun."""
