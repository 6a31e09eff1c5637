"""The whole estate on one machine: gateway, functions, embedded AWS, traces and console."""
