"""The workers there are, and what each does now."""
