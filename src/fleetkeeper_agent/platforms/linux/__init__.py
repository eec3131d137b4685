"""Linux: `/proc` and `/sys`, read directly because that costs a tenth of what a library takes."""
