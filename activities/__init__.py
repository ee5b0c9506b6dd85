"""Side effects. Each can run twice: what it does is keyed by something derived from the contract's transition."""
