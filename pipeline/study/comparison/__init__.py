"""What finished runs say: statistics over seeds, rivals, claims."""
