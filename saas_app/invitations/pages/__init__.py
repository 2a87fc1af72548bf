"""Pages of invitations: inviting people, and accepting an invitation."""

from saas_app.invitations.pages import acceptance, inviting

blueprints = (inviting.blueprint, acceptance.blueprint)
