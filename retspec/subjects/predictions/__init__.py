"""What a trained model said of images: tables of predictions, read without torch."""
