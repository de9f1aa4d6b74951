"""The whole book on paper: all pages as one, printed."""
