"""Runs the whole estate on one machine: gateway, functions, AWS, traces and console."""
