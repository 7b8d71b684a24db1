"""Models of Darknet: `.cfg` files."""
