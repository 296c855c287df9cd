"""The bodies of requests (…Input) and of answers (…Output) of c4p-service."""
