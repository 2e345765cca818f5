"""The list of issues and the page of one."""
