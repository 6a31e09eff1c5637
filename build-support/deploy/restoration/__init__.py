"""What `restore` does: brings a bucket or a Terraform state back to a point in time."""
