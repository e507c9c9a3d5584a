"""What a model is asked to do, a class per task: which targets it takes, what chance is, and what a right answer is."""
