"""Pictures: pure functions from a result to a figure and its words."""
