"""The interactives of the course: one Python class and one JavaScript file each, on a small shared base."""
