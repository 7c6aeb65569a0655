"""Nightjar: alerts on your own AWS account for people who run jobs, agents and services."""
