"""Plugins: the hooks, what a plugin offers, how it is loaded, and the catalog of loaded plugins."""
