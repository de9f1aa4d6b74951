"""What experiments on the noise itself say."""
