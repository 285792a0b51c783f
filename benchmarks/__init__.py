"""Speed and results side by side with what people use today."""
