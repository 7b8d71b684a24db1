"""Open sizes of inputs: which ones work, and every size of the network as a formula of them."""
