"""Tests of the storage modules, on moto."""
