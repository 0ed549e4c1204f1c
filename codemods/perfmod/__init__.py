"""perfmod finds production-reliability faults in asyncio Python and Vite/TypeScript code, and fixes them."""

__version__ = "0.1.0"
