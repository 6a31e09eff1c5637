"""The web application that shows the running estate, and the API behind it."""
