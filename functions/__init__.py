"""Lambda handlers: parse the event, call a pipeline, shape the answer."""
