"""Where messages go: one module a channel, imported on first use."""

from nightjar.channels.base import Channel, Message, of, problem, send, target

__all__ = ["Channel", "Message", "of", "problem", "send", "target"]
