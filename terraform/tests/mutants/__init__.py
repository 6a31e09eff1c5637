"""Mistakes in Terraform files, made one at a time to see which test notices each."""
