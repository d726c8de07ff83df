"""Messages that say where to look: what S3 and EventBridge put into a queue, read without touching anything."""
