"""Reading without the clinic: over HTTP, whole archives, and where the network is often away."""
