"""The only place that knows the tables: one module a noun."""
