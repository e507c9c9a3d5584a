"""What `retspec watch` is made of: the command line of a training, what may look wrong, the page, the draft."""
