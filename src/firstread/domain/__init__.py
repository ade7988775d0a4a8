"""Plain Python: the words of the glossary as frozen values, and the rules."""
