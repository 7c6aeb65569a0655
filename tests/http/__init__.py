"""Tests of what every HTTP function shares."""
