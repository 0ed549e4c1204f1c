"""The checkout's own TypeScript compiler. Only where --tsc or --narrow asks for it."""
