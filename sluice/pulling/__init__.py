"""Sources that answer over HTTP: what a contract says about them, when they are asked, and what an answer means."""
