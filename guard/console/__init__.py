"""What can be looked at over HTTP: for now /healthz, behind one door for every route."""
