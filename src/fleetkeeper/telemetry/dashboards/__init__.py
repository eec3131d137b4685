"""Saved dashboards: rows of panels with variables, the ones that the product brings, and what their panels show.

Owns `dashboards`. Does not own what is asked: questions go to `explore` and `promql`, always as whoever looks.
"""
