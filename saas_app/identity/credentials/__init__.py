"""How callers prove who they are: one module a credential, each with the same few steps.

A guard climbs the same ladder for every credential (:mod:`saas_app.web.guards`). What differs between a
browser's session and a bearer token is here, each by itself: how it is proved, where its permissions come
from, and what can be done when they are not enough.
"""
