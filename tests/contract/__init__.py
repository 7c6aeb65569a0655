"""Tests that read like API.md: a table of cases a route, through the handler."""
