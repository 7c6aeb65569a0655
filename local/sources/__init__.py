"""What invokes a function: pure rules "given what is there now, the next invocation, and what its answer means"."""
