"""The watch: the live audit again and again, the logs read forward, and whoever has to know told once."""
