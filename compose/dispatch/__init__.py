"""Where paid orders arrive: the ride is ended, the courier sent. Keeps a ledger of what it was told."""
