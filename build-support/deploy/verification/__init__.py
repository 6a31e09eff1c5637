"""The claims that no emulator can prove; each is tried against an account."""
