"""What the guard costs, in time, memory and bytes, each figure beside a yardstick of the same run: `make bench`."""
