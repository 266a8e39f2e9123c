"""What can be looked at over HTTP: /healthz for machines, and pages for people, behind one door."""
