"""The book around the science: parameter sizes, result store, figures, runner, page checks."""
