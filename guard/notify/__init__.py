"""How a message reaches people: one module a kind of channel."""
