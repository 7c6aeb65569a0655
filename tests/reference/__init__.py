"""The plain reference: ENGINE.md a second time, slow and simple, to hold the product against. It imports nothing of the product."""
