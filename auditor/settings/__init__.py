"""What a site's configuration file says, and what of it takes effect beside flags and environment."""
