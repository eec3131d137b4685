"""What travels between an agent and the server: wire schemas and the catalog of built-in metrics.

The only package that both sides import. It knows neither the server's rooms nor the agent's collectors.
"""
