"""What agents decided about requests, and what people say of it. Nothing here is ever changed."""
