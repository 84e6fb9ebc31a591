"""The settings of one node, one witness or one client, and the certificates they name: typed,
frozen, from YAML.
"""
