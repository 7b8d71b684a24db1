"""What can be said of a network that is complete."""
