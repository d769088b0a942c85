"""Explorers: pictures that answer to sliders. Each class only wires; the rules lie elsewhere."""
