"""The facade to SMTP: takes mails as template and data, and sends each once."""
