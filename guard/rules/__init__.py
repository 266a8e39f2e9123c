"""The rule language: from an expression's text to a three-valued evaluation; pure."""
