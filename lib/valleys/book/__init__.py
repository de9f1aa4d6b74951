"""The book around the science: chapters and their runs, numbers, figures, pages, the site."""
