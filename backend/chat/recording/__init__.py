"""Records of answers, which show years later why an answer was given.

A record is one object in a locked bucket. Its texts are encrypted with keys that are kept outside
of that bucket, so that they can be erased although the record cannot be deleted.
"""
