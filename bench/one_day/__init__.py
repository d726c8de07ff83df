"""One day of records by other tools, each as its users would write it; all take (folder, workspace) and are scripts."""
