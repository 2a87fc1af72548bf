"""How callers prove who they are: one module per credential, each with the same few steps.

A guard climbs the same ladder for every credential (:mod:`saas_app.web.guards`). These modules contain the
differences between a browser session and a bearer token: how the caller is proved, where their permissions
come from, and what happens if those are not enough.
"""
