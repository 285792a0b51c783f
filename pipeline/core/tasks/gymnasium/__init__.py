"""Any environment that Gymnasium knows."""
