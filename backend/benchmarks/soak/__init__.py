"""A load on the running local estate: the requests, their results, and the processes meanwhile."""
