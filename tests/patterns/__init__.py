"""How the work of a regular expression grows: a check of the source that knows every pattern of it."""
