"""The web page that shows where the estate's parts are and what went through the gateway."""
