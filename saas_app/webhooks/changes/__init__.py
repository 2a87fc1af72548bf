"""What Logto's calls change here: webhooks, and the back-channel logout."""
