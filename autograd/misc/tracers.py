"""x"""
const_graph = None
