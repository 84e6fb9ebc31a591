"""For operators and administrators: setting up, loading, users, the cluster's verbs."""
