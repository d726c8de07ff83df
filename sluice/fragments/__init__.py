"""A partition in fragments: what some of its objects came to is used again while these objects stay as they are."""
