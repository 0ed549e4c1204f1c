"""HTTP clients and requests in one file. Facts for retry-requests."""
