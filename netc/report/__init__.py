"""What is known of a network: costs, receptive fields, tables."""
