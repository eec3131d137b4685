"""Where files can be: a folder, an S3-like bucket, SharePoint, Google Drive. Owns nothing; one protocol for all."""
