"""One module per migration. They are history: what they need is written in them, and they are never changed."""
