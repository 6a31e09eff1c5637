"""Measures the boundary of advice with labelled questions."""
