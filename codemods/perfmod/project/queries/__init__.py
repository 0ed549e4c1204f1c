"""PostgREST queries as the whole checkout says them."""
