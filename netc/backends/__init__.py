"""What a checked network is turned into."""
