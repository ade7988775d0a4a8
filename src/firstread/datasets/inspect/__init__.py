"""What is wrong with labelled samples, and the page that shows it."""
