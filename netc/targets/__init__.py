"""What netc makes of a network: one folder a target."""
