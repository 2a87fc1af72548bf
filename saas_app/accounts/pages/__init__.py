"""Pages of accounts: signing in and out, the account page, profile and settings."""

from saas_app.accounts.pages import account, settings, sign_in

blueprints = (sign_in.blueprint, account.blueprint, settings.blueprint)
