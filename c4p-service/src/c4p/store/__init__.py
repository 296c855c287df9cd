"""The database of c4p-service: all of its SQL, for PostgreSQL."""
