"""Tests of the handlers, with the payloads of events/."""
