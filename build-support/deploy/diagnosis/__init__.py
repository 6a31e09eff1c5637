"""The checks of the doctor: each yields what is wrong in an account, and what to do."""
