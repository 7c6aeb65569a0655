"""Storms of alerts, through HTTP, on AWS's engine."""
