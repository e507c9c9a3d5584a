"""Arrow files as `datasets` of Hugging Face saves them: columns, and where the bytes of images are in the file."""
