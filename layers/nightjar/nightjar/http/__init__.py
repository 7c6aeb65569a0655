"""What every HTTP function shares: keys, bodies, errors."""
