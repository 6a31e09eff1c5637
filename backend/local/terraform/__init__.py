"""Applies the Terraform layers to the embedded AWS and reads back what they created."""
