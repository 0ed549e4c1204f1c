"""PostgREST queries in one file. Facts for select-columns."""
