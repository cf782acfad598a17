"""What started, ready and alive mean, and who answers for them on the health and metrics port."""
