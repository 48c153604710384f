"""Where channels tell us that something happened. A notification is a hint: we ask, then act."""
