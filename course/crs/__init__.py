"""Cytokine release syndrome: the library behind the course."""
