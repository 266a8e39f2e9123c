"""The life of an alert, decided purely: how it moves, what channels should know, and when no data is an alert."""
