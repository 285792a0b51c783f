"""The sections of the page: a file each, with its text, its tables and its pictures."""
