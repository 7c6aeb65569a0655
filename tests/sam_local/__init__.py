"""What `sam build` made, run by `sam local` in containers."""
