"""What may be written in `params.yaml`, and what is answered to every mistake in it."""
