"""The GPU stages around the network, written in Triton and compiled ahead of time."""
