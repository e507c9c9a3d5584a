"""What `retspec doctor` asks in a process of its own, and the troubles that it can explain."""
