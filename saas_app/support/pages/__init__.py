"""Pages of support access: the desk of the agents, and what a customer's admins see and allow."""

from saas_app.support.pages import customer, desk, starting

blueprints = (desk.blueprint, customer.blueprint)

__all__ = ["blueprints", "starting"]
