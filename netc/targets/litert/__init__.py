"""LiteRT: a network with its weights as a file for phones and small computers, made of the Keras model."""
