"""The cases of cases.json and what runs them."""
