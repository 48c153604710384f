"""kuaitui 快退: the deposit desk of an online marketplace."""
