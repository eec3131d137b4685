"""Running the product: health, own metrics, and the HTTP doors of rooms that stand below `identity`."""
