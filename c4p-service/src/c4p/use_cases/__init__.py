"""The use cases of c4p-service, one function each, in the order in which things happen."""
