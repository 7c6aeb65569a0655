"""The evaluator function."""
