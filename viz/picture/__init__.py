"""The graph as a picture: cards, layout, frames, SVG, Graphviz."""
