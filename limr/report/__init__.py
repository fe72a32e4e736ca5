"""Tables, pages and figures about finished runs."""
