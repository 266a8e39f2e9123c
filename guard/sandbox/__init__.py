"""A pretend AgentPhone over HTTP, playing scenarios; it shares no code with the guard, so that they share no bug."""
