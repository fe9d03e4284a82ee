"""METER: light vision transformers for depth."""
